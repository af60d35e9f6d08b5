/// Where something stands in a file; both count from 1, columns in characters.
package struct Place: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let beginning = Place(line: 1, column: 1)

    package static func < (left: Place, right: Place) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One thing that is wrong, or doubtful, at one place. The message holds no value that came from the
/// environment, where secrets come from.
package struct ConfigurationError: Error, Hashable, Sendable {
    package var place: Place
    /// One sentence for people, without a full stop.
    package var message: String

    package init(_ place: Place, _ message: String) {
        self.place = place
        self.message = message
    }
}

/// Everything that is wrong with a file, sorted by place.
package struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the file as the caller gave it.
    package var file: String
    /// At least one.
    package var errors: [ConfigurationError]

    /// Sorts `errors` by place and drops repetitions, which an alias to a wrong value makes.
    package init(file: String, _ errors: [ConfigurationError]) {
        self.file = file
        self.errors = Self.sorted(errors)
    }

    /// Each error as `file:line:column: message`.
    package var lines: [String] {
        errors.map { "\(file):\($0.place.line):\($0.place.column): \($0.message)" }
    }

    /// The lines, one per error.
    package var description: String { lines.joined(separator: "\n") }

    static func sorted(_ errors: [ConfigurationError]) -> [ConfigurationError] {
        var seen: Set<ConfigurationError> = []
        // The order of finding decides between errors of one place.
        return errors.enumerated()
            .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element)
            .filter { seen.insert($0).inserted }
    }
}

/// A value and where it was written.
struct Located<Value> {
    var value: Value
    var place: Place
}

/// Collects what is found while a file is read; reading goes on after an error.
final class Report {
    private(set) var errors: [ConfigurationError] = []
    private(set) var warnings: [ConfigurationError] = []

    func error(_ place: Place, _ message: String) {
        errors.append(ConfigurationError(place, message))
    }

    func warn(_ place: Place, _ message: String) {
        warnings.append(ConfigurationError(place, message))
    }
}

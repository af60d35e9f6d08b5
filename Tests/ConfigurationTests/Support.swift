import Configuration
import FreshetModel
import Testing

extension Settings {
    /// The resource called `name`, which must be there.
    func named(_ name: String) throws -> Resource {
        let known = ResourceName(name).flatMap { resources[$0] }
        return try #require(known, "no resource `\(name)`")
    }
}

/// The errors of a file as `file:line:column: message`; none for a right one.
func errors(of text: String, _ environment: [String: String] = [:]) -> [String] {
    do {
        _ = try Configuration.parse(text: text, file: "F", environment: environment)
        return []
    } catch {
        return error.lines
    }
}

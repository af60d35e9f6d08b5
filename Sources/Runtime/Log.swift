internal import CLinux
internal import Synchronization

/// The log: one line per event on standard error, each with a stable name and fields.
///
///     Log.info("job.claimed", ["key": key, "fence": fence])
///
/// A field that is `nil` is left out. A field whose name says it is a secret is masked, and so is the
/// password of a URL; neither is a reason to log one.
package enum Log {
    package enum Level: Int, Comparable, CaseIterable, Sendable {
        case trace, debug, info, warning, error

        package init?(name: String) {
            guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }

        package var name: String {
            switch self {
            case .trace: "trace"
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    package enum Format: Int, Sendable {
        case text, json
    }

    package typealias Fields = KeyValuePairs<String, (any CustomStringConvertible)?>

    private static let chosenLevel = Atomic<Int>(Level.info.rawValue)
    private static let chosenFormat = Atomic<Int>(Format.text.rawValue)

    /// Chooses what is logged and how; once, at the start of a process.
    package static func configure(level: Level, format: Format) {
        chosenLevel.store(level.rawValue, ordering: .relaxed)
        chosenFormat.store(format.rawValue, ordering: .relaxed)
    }

    package static func isEnabled(_ level: Level) -> Bool {
        level.rawValue >= chosenLevel.load(ordering: .relaxed)
    }

    package static func trace(_ event: String, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.trace) { write(.trace, event, fields()) }
    }

    package static func debug(_ event: String, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.debug) { write(.debug, event, fields()) }
    }

    package static func info(_ event: String, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.info) { write(.info, event, fields()) }
    }

    package static func warning(_ event: String, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.warning) { write(.warning, event, fields()) }
    }

    package static func error(_ event: String, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.error) { write(.error, event, fields()) }
    }

    private static func write(_ level: Level, _ event: String, _ fields: Fields) {
        let format = Format(rawValue: chosenFormat.load(ordering: .relaxed)) ?? .text
        let line = LogLine.encode(
            format, at: freshet_realtime_milliseconds(), level, event, fields)
        line.write(to: STDERR_FILENO)
    }
}

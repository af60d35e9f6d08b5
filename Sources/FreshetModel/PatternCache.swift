import Synchronization

/// Compiled parameter patterns. A pattern is compiled once per process; the configuration bounds
/// how many there are.
public enum PatternCache {
    private struct Compiled: @unchecked Sendable {
        // A Regex is immutable; matching makes its own state. It is not marked Sendable.
        let regex: Regex<AnyRegexOutput>
    }

    private static let compiled = Mutex<[String: Compiled]>([:])

    /// Whether all of `value` matches `pattern`; false for a pattern that does not compile.
    public static func matches(_ value: String, pattern: String) -> Bool {
        let known = compiled.withLock { $0[pattern] }
        guard let entry = known ?? compile(pattern) else { return false }
        return (try? entry.regex.wholeMatch(in: value)) != nil
    }

    /// Whether `pattern` is a regular expression; the configuration check asks this.
    public static func isValid(_ pattern: String) -> Bool {
        (try? Regex(pattern)) != nil
    }

    private static func compile(_ pattern: String) -> Compiled? {
        guard let regex = try? Regex(pattern) else { return nil }
        let entry = Compiled(regex: regex)
        compiled.withLock { $0[pattern] = entry }
        return entry
    }
}

/// A regular expression that a whole value must match, in time linear in the value.
///
/// Patterns come from the configuration, values from strangers, on the path of every request with
/// parameters. So a pattern is compiled once into a table of states (see `PatternAutomaton`) and
/// matching is one table step per character: nothing backtracks, whatever the pattern.
///
/// Understood: literals, `.` (all but a line feed), `[a-z]` `[^a-z]`, `\d \w \s` (ASCII) and their
/// negations, `\p{L}` and other general categories, `\t \n \r \f \v \xHH \x{H…} \uHHHH`, groups,
/// `|`, `* + ? {n} {n,} {n,m}` also lazy, `^` and `$`, and `(?i)` (ASCII) at the beginning. Not
/// understood, because no such table exists for them: back references and look-around.
public struct Pattern: Hashable, Sendable, CustomStringConvertible {
    /// The pattern as written.
    public let text: String
    let automaton: PatternAutomaton

    /// Why a pattern was refused.
    public struct ParseError: Error, Hashable, Sendable {
        /// One sentence for people, without the pattern.
        public var message: String
        /// Characters before the place, from 0.
        public var offset: Int
    }

    /// Compiles `text`.
    /// - Throws: `ParseError` for bad syntax, and for a pattern that needs more than
    ///   `PatternAutomaton.maximumStates` states.
    public init(_ text: String) throws(ParseError) {
        var parser = PatternParser(text)
        let node = try parser.parse()
        self.text = text
        automaton = try PatternAutomaton(node, length: text.unicodeScalars.count)
    }

    /// Whether all of `value` matches.
    public func matches(_ value: String) -> Bool { automaton.matches(value) }

    /// Whether some value that holds `scalar` matches: what a pattern lets into a file path.
    public func mayContain(_ scalar: Unicode.Scalar) -> Bool { automaton.mayContain(scalar) }

    /// Whether some value that begins with `scalar` matches.
    public func mayBegin(with scalar: Unicode.Scalar) -> Bool { automaton.mayBegin(with: scalar) }

    /// The pattern as written.
    public var description: String { text }

    /// Equal when written the same.
    public static func == (left: Pattern, right: Pattern) -> Bool { left.text == right.text }

    /// Hashes the pattern as written.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

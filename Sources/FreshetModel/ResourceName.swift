/// The name of a resource: `[a-z0-9][a-z0-9_.-]{0,63}`, such as `cinema` or `process.list`.
public struct ResourceName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as written.
    public let text: String

    /// Checks `text` against the grammar; `nil` when it does not match.
    public init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first,
            Self.isAlphanumeric(first),
            text.utf8.allSatisfy({ Self.isAlphanumeric($0) || "_.-".utf8.contains($0) })
        else { return nil }
        self.text = text
    }

    /// The name before the last dot, from which a dotted name inherits; `nil` without a dot.
    public var parent: ResourceName? {
        text.lastIndex(of: ".").flatMap { ResourceName(String(text[..<$0])) }
    }

    /// The name as written.
    public var description: String { text }

    /// Orders by the bytes of the name.
    public static func < (left: ResourceName, right: ResourceName) -> Bool {
        left.text < right.text
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}

/// A JSON pointer, RFC 6901: a path of names and indices into a text.
package struct JSONPointer: Hashable, Sendable {
    /// Decoded reference tokens; empty for the whole text.
    package let tokens: [String]

    /// Reads `text`, such as `/data/items/0`; `nil` when it does not begin with `/` (or is empty), or
    /// a `~` is followed by neither 0 nor 1.
    package init?(_ text: String) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for piece in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let token = Self.unescape(piece) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    private static func unescape(_ piece: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = piece.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "~") else {
                bytes.append(byte)
                continue
            }
            switch rest.next() {
            case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where the value the pointer leads to stands in `bytes`; `nil` when there is none. Of a
    /// repeated name the last counts, as JSON parsers have it.
    /// - Throws: When `bytes` are not JSON.
    package func range(in bytes: [UInt8]) throws(JSONError) -> Range<Int>? {
        var reader = try JSONReader(bytes)
        var range = try reader.skip()
        for token in tokens {
            // The inner text is JSON again, so each step is a reader of its own part.
            var found: Range<Int>?
            var inner = JSONReader(checked: bytes, at: range.lowerBound)
            switch try inner.kind() {
            case .object:
                try inner.forEachMember { name, reader throws(JSONError) in
                    let value = try reader.skip()
                    // Bytes decide, not canonical equivalence.
                    if name.utf8.elementsEqual(token.utf8) { found = value }
                }
            case .array:
                let wanted = Self.index(token)
                var index = 0
                try inner.forEachElement { reader throws(JSONError) in
                    let value = try reader.skip()
                    if index == wanted { found = value }
                    index += 1
                }
            case .string, .number, .boolean, .null: break
            }
            guard let found else { return nil }
            range = found
        }
        return range
    }

    /// An array index: digits without leading zeros.
    private static func index(_ token: String) -> Int? {
        guard token.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            token == "0" || !token.hasPrefix("0")
        else { return nil }
        return Int(token)
    }
}

/// Checks that bytes are one JSON text, RFC 8259, in one pass and without a tree.
///
/// Strict: UTF-8 without a byte order mark, at most 512 containers within each other, no `NaN`, no
/// comments, no trailing commas. Names may repeat, and an escape may name half a surrogate pair,
/// since the grammar allows both.
package enum JSONScanner {
    /// What the text is.
    package struct Summary: Hashable, Sendable {
        /// The kind of the whole.
        package var kind: JSONKind
        /// Elements of the outermost array; `nil` when it is no array.
        package var elementCount: Int?
    }

    /// Checks `bytes` and says what they are.
    package static func scan(_ bytes: [UInt8]) throws(JSONError) -> Summary {
        try scan(bytes.span)
    }

    /// Checks `bytes` and says what they are.
    package static func scan(_ bytes: Span<UInt8>) throws(JSONError) -> Summary {
        var cursor = JSONCursor()
        let kind = try cursor.kind(bytes)
        let elements = try cursor.skipValue(bytes)
        cursor.skipWhitespace(bytes)
        guard cursor.at == bytes.count else { throw cursor.error("something follows the value") }
        return Summary(kind: kind, elementCount: kind == .array ? elements : nil)
    }

    /// Whether `bytes` are exactly one JSON number, without white space.
    package static func isNumber(_ bytes: Span<UInt8>) -> Bool {
        var cursor = JSONCursor()
        do {
            try cursor.skipNumber(bytes)
        } catch {
            return false
        }
        return cursor.at == bytes.count
    }
}

/// Walks JSON text from front to back: the caller takes what it knows and skips the rest, and no
/// tree is built.
///
///     var reader = try JSONReader(bytes)
///     try reader.forEachMember { name, reader throws(JSONError) in
///         if name == "done" { done = try reader.readDouble() } else { try reader.skip() }
///     }
///
/// Each body must take its value: read it, walk it or skip it. A value of another kind than the one
/// asked for is skipped and answered with `nil`.
package struct JSONReader {
    private let bytes: [UInt8]
    private var cursor = JSONCursor()

    /// A reader of checked text.
    package init(_ bytes: [UInt8]) throws(JSONError) {
        _ = try JSONScanner.scan(bytes)
        self.bytes = bytes
    }

    /// A reader from the value at `offset` of text that has been checked.
    init(checked bytes: [UInt8], at offset: Int) {
        self.bytes = bytes
        cursor.at = offset
    }

    /// The kind of the next value.
    package mutating func kind() throws(JSONError) -> JSONKind {
        var moved = cursor
        defer { cursor = moved }
        return try moved.kind(bytes.span)
    }

    private mutating func skipWhitespace() {
        var moved = cursor
        moved.skipWhitespace(bytes.span)
        cursor = moved
    }

    /// Passes the next value and returns where it stands.
    @discardableResult
    package mutating func skip() throws(JSONError) -> Range<Int> {
        // A copy moves, since the bytes are borrowed from `self` meanwhile.
        var moved = cursor
        moved.skipWhitespace(bytes.span)
        let start = moved.at
        try moved.skipValue(bytes.span)
        cursor = moved
        return start..<moved.at
    }

    /// Calls `body` at each element of the next value; skips what is no array.
    package mutating func forEachElement(
        _ body: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try kind() == .array else {
            try skip()
            return
        }
        try forEach(end: UInt8(ascii: "]"), body)
    }

    /// Calls `body` with each name, at its value; skips what is no object.
    package mutating func forEachMember(
        _ body: (String, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try kind() == .object else {
            try skip()
            return
        }
        try forEach(end: UInt8(ascii: "}")) { reader throws(JSONError) in
            let name = try reader.readString() ?? ""
            reader.skipWhitespace()
            reader.cursor.at += 1
            try body(name, &reader)
        }
    }

    private mutating func forEach(
        end: UInt8, _ body: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        cursor.at += 1
        while true {
            skipWhitespace()
            guard cursor.at < bytes.count else { throw cursor.error("it ends inside a container") }
            if bytes[cursor.at] == end {
                cursor.at += 1
                return
            }
            if bytes[cursor.at] == UInt8(ascii: ",") {
                cursor.at += 1
                skipWhitespace()
            }
            let before = cursor.at
            try body(&self)
            precondition(cursor.at > before, "a value was not taken")
        }
    }

    /// The next value when it is a string.
    package mutating func readString() throws(JSONError) -> String? {
        guard try kind() == .string else {
            try skip()
            return nil
        }
        let range = try skip()
        return JSONText.decodeString(bytes[(range.lowerBound + 1)..<(range.upperBound - 1)])
    }

    /// The next value when it is a number; a huge one may be infinite.
    package mutating func readDouble() throws(JSONError) -> Double? {
        guard try kind() == .number else {
            try skip()
            return nil
        }
        let range = try skip()
        return Double(String(decoding: bytes[range], as: UTF8.self))
    }

    /// The next value when it is a whole number in range.
    package mutating func readInteger() throws(JSONError) -> Int? {
        guard try kind() == .number else {
            try skip()
            return nil
        }
        let text = String(decoding: bytes[try skip()], as: UTF8.self)
        return Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
    }

    /// The next value when it is `true` or `false`.
    package mutating func readBoolean() throws(JSONError) -> Bool? {
        guard try kind() == .boolean else {
            try skip()
            return nil
        }
        return bytes[try skip().lowerBound] == UInt8(ascii: "t")
    }
}

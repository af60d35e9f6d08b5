/// Why bytes are not JSON, and where.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    package var message: String
    /// Offset of the offending byte.
    package var offset: Int

    package var description: String { "not JSON: \(message) at byte \(offset)" }
}

/// What a JSON value is.
package enum JSONKind: Sendable {
    case object, array, string, number, boolean, null
}

/// A position in JSON text and the rules of RFC 8259 to move it.
///
/// The bytes are handed to every step instead of being stored, so that no pointer outlives a call.
struct JSONCursor {
    /// Containers within containers; deeper text is refused before a reader's stack is at risk.
    static let maximumDepth = 512

    var at = 0

    /// The kind that the next byte, white space aside, begins.
    mutating func kind(_ bytes: Span<UInt8>) throws(JSONError) -> JSONKind {
        skipWhitespace(bytes)
        guard at < bytes.count else { throw error("it ends where a value is due") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), 0x30...0x39: return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: throw error("a value is due")
        }
    }

    /// Passes one value.
    /// - Returns: How many elements the value has, when it is an array.
    @discardableResult
    mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONError) -> Int {
        var nesting = Nesting()
        var elements = 0
        values: while true {
            switch try kind(bytes) {
            case .object:
                at += 1
                try nesting.push(isObject: true, at)
                skipWhitespace(bytes)
                guard isNext(UInt8(ascii: "}"), bytes) else {
                    try skipName(bytes)
                    continue values
                }
                at += 1
                nesting.pop()
            case .array:
                at += 1
                try nesting.push(isObject: false, at)
                skipWhitespace(bytes)
                guard isNext(UInt8(ascii: "]"), bytes) else {
                    if nesting.depth == 1 { elements += 1 }
                    continue values
                }
                at += 1
                nesting.pop()
            case .string: try skipString(bytes)
            case .number: try skipNumber(bytes)
            case .boolean: try skipWord(bytes[at] == UInt8(ascii: "t") ? "true" : "false", bytes)
            case .null: try skipWord("null", bytes)
            }
            while nesting.depth > 0 {
                skipWhitespace(bytes)
                guard at < bytes.count else { throw error("it ends inside a container") }
                let byte = bytes[at]
                if byte == UInt8(ascii: ",") {
                    at += 1
                    if nesting.isObject {
                        skipWhitespace(bytes)
                        try skipName(bytes)
                    } else if nesting.depth == 1 {
                        elements += 1
                    }
                    continue values
                }
                let end = nesting.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
                guard byte == end else { throw error("a comma or the container's end is due") }
                at += 1
                nesting.pop()
            }
            return elements
        }
    }

    /// Passes a member's name and colon.
    private mutating func skipName(_ bytes: Span<UInt8>) throws(JSONError) {
        guard isNext(UInt8(ascii: "\""), bytes) else { throw error("a name is due") }
        try skipString(bytes)
        skipWhitespace(bytes)
        guard isNext(UInt8(ascii: ":"), bytes) else { throw error("a colon is due") }
        at += 1
    }

    @inline(__always)
    func isNext(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        at < bytes.count && bytes[at] == byte
    }

    @inline(__always)
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    /// Passes a string; `at` is its opening quote.
    mutating func skipString(_ bytes: Span<UInt8>) throws(JSONError) {
        at += 1
        while true {
            at = PlainText.end(bytes, from: at)
            guard at < bytes.count else { throw error("it ends inside a string") }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                at += 1
                return
            } else if byte == UInt8(ascii: "\\") {
                try skipEscape(bytes)
            } else if byte >= 0x80 {
                let length = UTF8Sequence.length(bytes, at: at)
                guard length > 0 else { throw error("bytes that are not UTF-8") }
                at += length
            } else {
                throw error("a control character inside a string")
            }
        }
    }

    private mutating func skipEscape(_ bytes: Span<UInt8>) throws(JSONError) {
        guard at + 1 < bytes.count else { throw error("it ends inside a string") }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            guard at + 5 < bytes.count else { throw error("it ends inside a string") }
            for offset in 2..<6 where Hexadecimal.value(bytes[at + offset]) == nil {
                throw error("an escape without four hexadecimal digits")
            }
            at += 6
        default: throw error("an unknown escape")
        }
    }

    /// Passes a number; `at` is its sign or first digit.
    mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONError) {
        if isNext(UInt8(ascii: "-"), bytes) { at += 1 }
        if isNext(UInt8(ascii: "0"), bytes) {
            at += 1
        } else {
            try skipDigits(bytes)
        }
        if isNext(UInt8(ascii: "."), bytes) {
            at += 1
            try skipDigits(bytes)
        }
        if isNext(UInt8(ascii: "e"), bytes) || isNext(UInt8(ascii: "E"), bytes) {
            at += 1
            if isNext(UInt8(ascii: "+"), bytes) || isNext(UInt8(ascii: "-"), bytes) { at += 1 }
            try skipDigits(bytes)
        }
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = at
        while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
        guard at > start else { throw error("a digit is due") }
    }

    private mutating func skipWord(
        _ word: StaticString, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard at + length <= bytes.count else { throw error("a value is due") }
        for offset in 0..<length {
            guard unsafe bytes[at + offset] == word.utf8Start[offset] else {
                throw error("a value is due")
            }
        }
        at += length
    }

    func error(_ message: String) -> JSONError { JSONError(message: message, offset: at) }
}

/// Which containers are open, as one bit each: set for an object.
private struct Nesting {
    private var kinds = InlineArray<8, UInt64>(repeating: 0)
    private(set) var depth = 0
    private(set) var isObject = false

    mutating func push(isObject: Bool, _ offset: Int) throws(JSONError) {
        guard depth < JSONCursor.maximumDepth else {
            throw JSONError(
                message: "more than \(JSONCursor.maximumDepth) containers within each other",
                offset: offset)
        }
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if isObject { kinds[depth >> 6] |= bit } else { kinds[depth >> 6] &= ~bit }
        depth += 1
        self.isObject = isObject
    }

    mutating func pop() {
        depth -= 1
        guard depth > 0 else { return }
        isObject = kinds[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1
    }
}

extension JSONText {
    /// Appends `text` as a JSON string.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { buffer in
            let utf8 = unsafe buffer.span
            var at = 0
            while at < utf8.count {
                let end = plainEnd(utf8, from: at)
                append(utf8.extracting(at..<end), to: &bytes)
                guard end < utf8.count else { break }
                appendEscape(utf8[end], to: &bytes)
                at = end + 1
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends `utf8` as a JSON string, checking it.
    /// - Returns: Whether it is UTF-8; when not, `bytes` end in the middle of the string.
    package static func append(checking utf8: Span<UInt8>, to bytes: inout [UInt8]) -> Bool {
        bytes.append(UInt8(ascii: "\""))
        var at = 0
        var start = 0
        while true {
            at = PlainText.end(utf8, from: at)
            guard at < utf8.count else { break }
            if utf8[at] >= 0x80 {
                let length = UTF8Sequence.length(utf8, at: at)
                guard length > 0 else { return false }
                at += length
            } else {
                append(utf8.extracting(start..<at), to: &bytes)
                appendEscape(utf8[at], to: &bytes)
                at += 1
                start = at
            }
        }
        append(utf8.extracting(start..<at), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        return true
    }

    /// Appends bytes as they are.
    package static func append(_ piece: Span<UInt8>, to bytes: inout [UInt8]) {
        unsafe piece.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    /// The first byte from `start` on that a string must escape; text above ASCII is copied.
    @inline(__always)
    private static func plainEnd(_ utf8: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while true {
            at = PlainText.end(utf8, from: at)
            guard at < utf8.count, utf8[at] >= 0x80 else { return at }
            at += 1
        }
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Hexadecimal.digits[Int(byte >> 4)])
            bytes.append(Hexadecimal.digits[Int(byte & 15)])
        }
    }

    /// Appends a whole number.
    package static func append(_ number: Int, to bytes: inout [UInt8]) {
        guard number < 0 || number > 9 else {
            bytes.append(UInt8(ascii: "0") + UInt8(number))
            return
        }
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = number.magnitude
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(digit))
            rest = quotient
        }
        bytes[start...].reverse()
    }

    /// Appends the shortest text that reads back as `number`; `null` for what is not finite.
    package static func append(_ number: Double, to bytes: inout [UInt8]) {
        guard number.isFinite else { return appendNull(to: &bytes) }
        if let whole = Int(exactly: number), whole.magnitude < 1 << 53 {
            append(whole, to: &bytes)
        } else {
            bytes.append(contentsOf: number.description.utf8)
        }
    }

    /// Appends `null`.
    package static func appendNull(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "null".utf8)
    }

    /// Undoes the escapes between the quotes of a checked string; half a surrogate pair becomes
    /// U+FFFD.
    package static func decodeString(_ inner: ArraySlice<UInt8>) -> String {
        guard inner.contains(UInt8(ascii: "\\")) else {
            return String(decoding: inner, as: UTF8.self)
        }
        var units: [UInt16] = []
        var text = ""
        var plain: [UInt8] = []
        var at = inner.startIndex
        func flushUnits() {
            guard !units.isEmpty else { return }
            text += String(decoding: units, as: UTF16.self)
            units.removeAll()
        }
        func flushPlain() {
            guard !plain.isEmpty else { return }
            text += String(decoding: plain, as: UTF8.self)
            plain.removeAll()
        }
        while at < inner.endIndex {
            let byte = inner[at]
            guard byte == UInt8(ascii: "\\"), at + 1 < inner.endIndex else {
                flushUnits()
                plain.append(byte)
                at += 1
                continue
            }
            let escape = inner[at + 1]
            if escape == UInt8(ascii: "u"), at + 5 < inner.endIndex {
                flushPlain()
                let digits = inner[(at + 2)..<(at + 6)]
                units.append(
                    digits.reduce(0) { $0 << 4 | UInt16(Hexadecimal.value($1) ?? 0) })
                at += 6
                continue
            }
            flushUnits()
            switch escape {
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            default: plain.append(escape)
            }
            at += 2
        }
        flushUnits()
        flushPlain()
        return text
    }
}

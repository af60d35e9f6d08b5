/// Finds the bytes of text that JSON must look at: everything but printable ASCII without quote and
/// backslash. Eight bytes a step.
enum PlainText {
    /// The first offset from `start` on whose byte is below 0x20, above 0x7F, `"` or `\`.
    @inline(__always)
    static func end(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var at = start
        let raw = unsafe bytes.bytes
        while at &+ 8 <= bytes.count {
            // Safe: at ... at + 7 is inside, and any eight bytes are a UInt64.
            let word = unsafe UInt64(
                littleEndian: raw.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: at, as: UInt64.self))
            let special = marks(word)
            if special != 0 { return at &+ special.trailingZeroBitCount >> 3 }
            at &+= 8
        }
        while at < bytes.count, isPlain(bytes[at]) { at += 1 }
        return at
    }

    /// The top bit of each byte that is special. A borrow may mark a byte above one that is truly
    /// marked, so only the lowest mark counts.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let control = (word &- ones &* 0x20) & ~word
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let quote = (quotes &- ones) & ~quotes
        let backslash = (backslashes &- ones) & ~backslashes
        return (control | quote | backslash | word) & tops
    }

    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C
    }
}

/// One scalar in UTF-8, RFC 3629.
enum UTF8Sequence {
    /// The length of the sequence of two to four bytes at `at`; 0 when it is none: overlong, a
    /// surrogate, above U+10FFFF or cut off.
    @inline(__always)
    static func length(_ bytes: Span<UInt8>, at: Int) -> Int {
        let first = bytes[at]
        guard at + 1 < bytes.count else { return 0 }
        let second = bytes[at + 1]
        switch first {
        case 0xC2...0xDF: return isTail(second) ? 2 : 0
        case 0xE0...0xEF:
            guard at + 2 < bytes.count, isTail(bytes[at + 2]) else { return 0 }
            switch first {
            case 0xE0: return second >= 0xA0 && second <= 0xBF ? 3 : 0
            case 0xED: return second >= 0x80 && second <= 0x9F ? 3 : 0
            default: return isTail(second) ? 3 : 0
            }
        case 0xF0...0xF4:
            guard at + 3 < bytes.count, isTail(bytes[at + 2]), isTail(bytes[at + 3]) else {
                return 0
            }
            switch first {
            case 0xF0: return second >= 0x90 && second <= 0xBF ? 4 : 0
            case 0xF4: return second >= 0x80 && second <= 0x8F ? 4 : 0
            default: return isTail(second) ? 4 : 0
            }
        default: return 0
        }
    }

    @inline(__always)
    private static func isTail(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

/// One reply of Redis, or a part of one, in the types of RESP2.
package enum RedisValue: Hashable, Sendable {
    /// A bulk string: any bytes.
    case string([UInt8])
    case integer(Int64)
    case array([RedisValue])
    /// The null bulk string or the null array: nothing is there.
    case null
    /// A simple string such as `OK`.
    case status(String)
    /// An error inside an array; an error that is the whole reply is thrown as `RedisError`.
    case error(String)

    /// The integer, also of a bulk string that is one in decimal, as fields of hashes are.
    package var int: Int64? {
        switch self {
        case .integer(let value): value
        case .string(let bytes): Decimal.integer(bytes)
        default: nil
        }
    }

    /// The text of a bulk string, repaired when it is not UTF-8, or of a status.
    package var text: String? {
        switch self {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    /// The bytes of a bulk string.
    package var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    package var array: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    package var isNull: Bool { self == .null }
}

/// Integers as Redis writes them.
enum Decimal {
    /// Parses an optional minus and digits; nil for anything else and for what does not fit.
    static func integer(_ bytes: [UInt8]) -> Int64? {
        var digits = bytes[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (shifted, overflowed) = value.multipliedReportingOverflow(by: 10)
            // Counts downwards, since the least integer has no positive twin.
            let (next, passed) = shifted.subtractingReportingOverflow(
                Int64(digit - UInt8(ascii: "0")))
            guard !overflowed, !passed else { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// Appends `value` in decimal.
    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        if rest < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(rest)) }
        let start = bytes.count
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }

    /// How many bytes `append` writes.
    static func width(_ value: Int64) -> Int {
        var width = value < 0 ? 2 : 1
        var rest = value.magnitude
        while rest >= 10 {
            width += 1
            rest /= 10
        }
        return width
    }
}

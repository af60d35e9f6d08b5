/// One word of a command: text, bytes or a number.
///
/// Large `bytes` are handed to the socket from the array they are in; nothing copies them.
package enum RedisArgument: Hashable, Sendable {
    case text(String)
    case bytes([UInt8])
    case integer(Int64)

    package init(_ text: String) { self = .text(text) }
    package init(_ bytes: [UInt8]) { self = .bytes(bytes) }
    package init(_ value: some BinaryInteger) { self = .integer(Int64(value)) }

    /// How many bytes the argument has on the wire, without its length line.
    package var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .integer(let value): Decimal.width(value)
        }
    }
}

extension RedisArgument: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) { self = .text(value) }
}

extension RedisArgument: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

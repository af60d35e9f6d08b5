/// Percent-encoding of RFC 3986 section 2.1: everything but unreserved characters is escaped.
public enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Escapes all bytes of `text` that are not `A-Z a-z 0-9 - . _ ~`.
    public static func encode(_ text: String) -> String {
        // Most text needs no escape, and keys are made on the path of requests.
        if text.utf8.allSatisfy(isUnreserved) { return text }
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends `text` with all bytes escaped that are not `A-Z a-z 0-9 - . _ ~`.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
    }

    /// Undoes escapes.
    /// - Parameter plusIsSpace: In a query `+` stands for a space (WHATWG URL, form encoding).
    /// - Returns: `nil` for an escape without two hexadecimal digits, NUL, or bytes not UTF-8.
    public static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexadecimal),
                    let low = rest.next().flatMap(hexadecimal)
                else { return nil }
                let decoded = high << 4 | low
                guard decoded != 0 else { return nil }
                bytes.append(decoded)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case 0: return nil
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Splits and decodes a query, `a=1&b=2`; empty pieces are skipped.
    /// - Returns: `nil` when an escape is malformed. Names may repeat: the caller decides.
    public static func decodeQuery(_ query: some StringProtocol) -> [Key.Parameter]? {
        var parameters: [Key.Parameter] = []
        for piece in query.split(separator: "&") {
            let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(sides[0], plusIsSpace: true),
                let value = decode(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
            else { return nil }
            parameters.append(Key.Parameter(name: name, value: value))
        }
        return parameters
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

internal import CMicrohttpd

/// Whether the lines of a head that libmicrohttpd has read are what RFC 9112 says a line is.
///
/// It is more lenient than that: a line may end in a bare LF, or be folded, and where a proxy before us
/// sees other lines than it does, requests are smuggled. What it was lenient about is not told, but the
/// fields it found still lie where they were received, so gaps that are none of CRLF show.
struct HeadLayout {
    private var end: UInt
    private var isRequestLine: Bool
    private var isWhole = true
    private var hasControl = false
    private var count = 0

    /// - Parameters:
    ///   - target: Where the target lies, without the spaces around it.
    init(_ method: UnsafePointer<CChar>, target: Range<UInt>, version: UnsafePointer<CChar>) {
        let start = UInt(bitPattern: method)
        let length = unsafe UInt(strlen(method))
        let versionStart = UInt(bitPattern: version)
        let isLine =
            start + length + 1 == target.lowerBound && target.upperBound + 1 == versionStart
        isRequestLine = isLine
        end = versionStart + 8
        for index in 0..<Int(length)
        where unsafe !HeadInspector.isToken(UInt8(bitPattern: method[index])) {
            isRequestLine = false
        }
    }

    /// The next field, in the order received.
    mutating func note(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        count += 1
        if UInt(bitPattern: name.baseAddress) != end &+ 2 { isWhole = false }
        end = UInt(bitPattern: value.baseAddress) &+ UInt(value.count)
        for index in name.indices where unsafe !HeadInspector.isToken(name[index]) {
            isWhole = false
        }
        if unsafe Self.mayHoldControl(value) {
            for index in value.indices {
                let byte = unsafe value[index]
                if byte < 0x20 && byte != 0x09 || byte == 0x7f { hasControl = true }
            }
        }
    }

    /// Eight bytes at a time, since this is done for each field of each request: false when none of
    /// them is below 0x20 or 0x7f; true also for a tab, and for some bytes beyond ASCII.
    private static func mayHoldControl(_ value: UnsafeRawBufferPointer) -> Bool {
        let low: UInt64 = 0x2020_2020_2020_2020
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        while index + 8 <= value.count {
            let word = unsafe value.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The high bit of a byte is set by a borrow where it is below 0x20, and by a carry at 0x7f.
            if ((word &- low) | (word &+ ones)) & high != 0 { return true }
            index += 8
        }
        while index < value.count {
            let byte = unsafe value[index]
            if byte < 0x20 || byte >= 0x7f { return true }
            index += 1
        }
        return false
    }

    /// The head has ended: an empty line follows the last field.
    mutating func end(_ head: UnsafeRawBufferPointer) {
        if UInt(bitPattern: head.baseAddress) &+ UInt(head.count) != end &+ 4 {
            isWhole = false
        }
    }

    var refusal: Refusal? {
        if !isRequestLine {
            return .malformed("The request line is not `METHOD TARGET HTTP/1.1`.")
        }
        if count > HeadInspector.fieldsMax { return .tooManyFields }
        if hasControl { return .malformed("A header field holds a control character.") }
        if !isWhole {
            return .malformed("A line of the header is folded, or does not end in CR LF.")
        }
        return nil
    }
}

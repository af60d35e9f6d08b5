/// What the header fields of one request say about where its body ends, collected field by field, and
/// whether that is beyond doubt. Two readers of one connection that disagree about it are how requests
/// are smuggled (RFC 9112, section 11.2), so doubt is an error.
struct Framing {
    /// HTTP/1.0 has no chunks and needs no `Host`.
    var isVersion10 = false
    private var hosts = 0
    private var isHostEmpty = false
    private var contentLengths = 0
    private var transferEncodings = 0
    private var isChunked = false
    private var length = 0
    private var defect: String?

    /// The size of the body; `nil` when it comes in chunks.
    var contentLength: Int? { isChunked ? nil : length }

    mutating func note(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard let last = name.count > 0 ? name[name.count - 1] : nil, last != 0x20, last != 0x09
        else {
            // `Content-Length : 5` is no Content-Length to one reader and one to another.
            defect = "A header field name is empty or ends in a space."
            return
        }
        switch name.count {
        case 4:
            if name.equalsLowercased("host") {
                hosts += 1
                noteHost(value.extracting(value.trimmedRange))
            }
        case 14:
            if name.equalsLowercased("content-length") {
                noteLength(value.extracting(value.trimmedRange))
            }
        case 17:
            if name.equalsLowercased("transfer-encoding") {
                transferEncodings += 1
                isChunked = value.extracting(value.trimmedRange).equalsLowercased("chunked")
            }
        default: break
        }
    }

    /// A host and a port, RFC 3986, section 3.2.2; who holds it is nobody's business here.
    private mutating func noteHost(_ host: Span<UInt8>) {
        if host.isEmpty { isHostEmpty = true }
        for index in host.indices {
            switch host[index] {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: continue
            // -._~ !$&'()*+;= %:[] and no comma: two hosts in one line are two hosts.
            case 0x2d, 0x2e, 0x5f, 0x7e, 0x21, 0x24, 0x26...0x2b, 0x3b, 0x3d, 0x25, 0x3a, 0x5b,
                0x5d:
                continue
            default: defect = "The Host field is no host."
            }
        }
    }

    private mutating func noteLength(_ digits: Span<UInt8>) {
        contentLengths += 1
        guard digits.count > 0 && digits.count < 19 else {
            defect = "Content-Length is not a number of bytes."
            return
        }
        length = 0
        for index in digits.indices {
            let byte = digits[index]
            guard byte >= 0x30 && byte <= 0x39 else {
                defect = "Content-Length is not a number of bytes."
                return
            }
            length = length * 10 + Int(byte - 0x30)
        }
    }

    /// What is wrong with it all; `nil`: nothing.
    var refusal: Refusal? {
        if let defect { return .malformed(defect) }
        if hosts != 1 && !(hosts == 0 && isVersion10) {
            return .malformed("HTTP/1.1 needs exactly one Host field.")
        }
        if isHostEmpty && !isVersion10 { return .malformed("The Host field is empty.") }
        if contentLengths > 1 { return .malformed("There is more than one Content-Length.") }
        if transferEncodings > 0 {
            if contentLengths > 0 {
                return .malformed("Content-Length and Transfer-Encoding exclude each other.")
            }
            if transferEncodings > 1 || !isChunked || isVersion10 {
                return .malformed("The only Transfer-Encoding understood is chunked, once.")
            }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Whether it is `text`, which is in lower case, in any case.
    func equalsLowercased(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let other = unsafe UnsafeBufferPointer(
            start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in indices {
            var byte = self[index]
            if byte >= 0x41 && byte <= 0x5a { byte |= 0x20 }
            if unsafe byte != other[index] { return false }
        }
        return true
    }

    /// What is left without spaces and tabs around it.
    var trimmedRange: Range<Int> {
        var start = 0
        var end = count
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }
}

/// Reads the head of a connection's first request before anything else does.
///
/// libmicrohttpd answers what it cannot read with a page of its own, which knows nothing of request
/// ids and problem documents, and it waits for the end of a head for as long as bytes drip. So a
/// connection is handed to it only when a whole, well-formed head within the limits lies in the socket.
struct HeadInspector {
    /// How many header fields a request may have.
    static let fieldsMax = 100

    let headerBytes: Int
    let targetBytes: Int
    /// What libmicrohttpd has for one request: its head, a record for each field, its answer's head.
    let poolBytes: Int

    enum Verdict: Equatable {
        case incomplete
        /// A head of so many bytes.
        case complete(Int)
        case refused(Refusal)
    }

    init(_ limits: HTTPLimits) {
        headerBytes = limits.headerBytes
        targetBytes = limits.targetBytes
        poolBytes = limits.poolBytes
    }

    /// Judges the bytes received so far.
    func inspect(_ bytes: Span<UInt8>) -> Verdict {
        var cursor = 0
        // An empty line or two before a request is forgiven (RFC 9112, section 2.2).
        while cursor < 4, cursor + 1 < bytes.count, bytes[cursor] == 0x0d,
            bytes[cursor + 1] == 0x0a
        {
            cursor += 2
        }
        do throws(Refusal) {
            guard let line = try nextLine(bytes, &cursor) else {
                if bytes.count > targetBytes + 32 { return .refused(.targetTooLong(targetBytes)) }
                return .incomplete
            }
            var framing = Framing()
            framing.isVersion10 = try readRequestLine(bytes.extracting(line))
            return try readFields(bytes, cursor, framing)
        } catch {
            return .refused(error)
        }
    }

    private func readFields(
        _ bytes: Span<UInt8>, _ start: Int, _ framing: Framing
    ) throws(Refusal) -> Verdict {
        var framing = framing
        var cursor = start
        var fields = 0
        var cookieBytes = 0
        while let line = try nextLine(bytes, &cursor) {
            if line.isEmpty {
                if cursor > headerBytes || fields > Self.fieldsMax { break }
                let needed = cursor + 64 * fields + cookieBytes + 1024
                if needed > poolBytes { break }
                if let refusal = framing.refusal { return .refused(refusal) }
                return .complete(cursor)
            }
            fields += 1
            try readField(bytes.extracting(line), &framing, &cookieBytes)
        }
        let isWhole = cursor <= bytes.count && cursor >= 2 && endsHead(bytes, cursor)
        if bytes.count > headerBytes || isWhole || fields > Self.fieldsMax {
            return .refused(.headerTooLarge(headerBytes))
        }
        return .incomplete
    }

    private func endsHead(_ bytes: Span<UInt8>, _ cursor: Int) -> Bool {
        guard bytes[cursor - 1] == 0x0a else { return false }
        let before = bytes[cursor - 2]
        return before == 0x0a || (before == 0x0d && cursor >= 3 && bytes[cursor - 3] == 0x0a)
    }

    /// The line at `cursor` without its end, and moves past it; `nil` when its end is not there yet.
    private func nextLine(
        _ bytes: Span<UInt8>, _ cursor: inout Int
    ) throws(Refusal) -> Range<Int>? {
        var index = cursor
        while index < bytes.count {
            if bytes[index] == 0x0a {
                // RFC 9112, section 2.2, lets us take a bare LF. Who is before us may not have.
                guard index > cursor, bytes[index - 1] == 0x0d else {
                    throw .malformed("A line of the header does not end in CR LF.")
                }
                defer { cursor = index + 1 }
                return cursor..<(index - 1)
            }
            index += 1
        }
        return nil
    }

    /// `GET /path?query HTTP/1.1`; whether the version is 1.0.
    private func readRequestLine(_ line: Span<UInt8>) throws(Refusal) -> Bool {
        var cursor = 0
        while cursor < line.count, Self.isToken(line[cursor]) { cursor += 1 }
        guard cursor > 0, cursor < line.count, line[cursor] == 0x20 else {
            throw .malformed("The request line has no method.")
        }
        let start = cursor + 1
        cursor = start
        while cursor < line.count, line[cursor] > 0x20, line[cursor] != 0x7f { cursor += 1 }
        guard cursor > start, cursor < line.count, line[cursor] == 0x20 else {
            throw .malformed("The request line has no target or no version.")
        }
        if cursor - start > targetBytes { throw .targetTooLong(targetBytes) }
        let version = line.extracting((cursor + 1)..<line.count)
        guard version.count == 8, version.extracting(0..<5).equalsLowercased("http/"),
            version[0] == 0x48, version[6] == 0x2e, Self.isDigit(version[5]),
            Self.isDigit(version[7])
        else { throw .malformed("The request line does not end in a version.") }
        if version[5] != 0x31 { throw .version }
        return version[7] == 0x30
    }

    private func readField(
        _ line: Span<UInt8>, _ framing: inout Framing, _ cookieBytes: inout Int
    ) throws(Refusal) {
        var colon = 0
        while colon < line.count, Self.isToken(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == 0x3a else {
            // Includes a folded line, which begins with a space (RFC 9112, section 5.2).
            throw .malformed("A header field is not `name: value`.")
        }
        for index in (colon + 1)..<line.count {
            let byte = line[index]
            if byte == 0x7f || (byte < 0x20 && byte != 0x09) {
                throw .malformed("A header field holds a control character.")
            }
        }
        let name = line.extracting(0..<colon)
        let value = line.extracting((colon + 1)..<line.count)
        framing.note(name, value)
        if colon == 6, name.equalsLowercased("cookie") {
            // libmicrohttpd copies it and makes a record of each pair.
            cookieBytes += value.count + 64
            for index in value.indices where value[index] == 0x3b || value[index] == 0x2c {
                cookieBytes += 64
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// A `tchar` of RFC 9110, section 5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x5e...0x7a, 0x7c, 0x7e: true
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e: true
        default: false
        }
    }
}

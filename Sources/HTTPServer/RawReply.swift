internal import CMicrohttpd
internal import Runtime

/// Replies that do not go through libmicrohttpd, because it has not seen the request, takes no reply
/// at that point, or would send one of its own. Each is the last on its connection.
enum RawReply {
    static func encode(
        _ response: HTTPResponse, _ requestID: RequestID, _ date: DateStamp
    ) -> [UInt8] {
        var head = head(status: response.status, requestID, date)
        for (name, value) in response.headers where !ResponseHeader.isReserved(name) {
            append(name, value, to: &head)
        }
        head.append(contentsOf: "Content-Length: \(response.body.count)\r\n\r\n".utf8)
        return head + response.body
    }

    /// The status line and the fields that every answer has.
    static func head(status: Int, _ requestID: RequestID, _ date: DateStamp) -> [UInt8] {
        let reason = unsafe MHD_get_reason_phrase_for(UInt32(status))
        let phrase = unsafe reason.map { unsafe String(cString: $0) } ?? ""
        var head = Array("HTTP/1.1 \(status) \(phrase)\r\nDate: ".utf8)
        head.append(contentsOf: date.bytes)
        head.append(contentsOf: "\r\nConnection: close\r\n".utf8)
        append("X-Request-Id", requestID.text, to: &head)
        return head
    }

    static func append(_ name: String, _ value: String, to head: inout [UInt8]) {
        head.append(contentsOf: name.utf8)
        head.append(contentsOf: ": ".utf8)
        head.append(contentsOf: value.utf8.map { $0 >= 0x20 && $0 != 0x7f ? $0 : 0x20 })
        head.append(contentsOf: "\r\n".utf8)
    }
}

extension ServerCore {
    /// Sends a refusal on a socket that libmicrohttpd does not have.
    func sendRaw(_ refusal: Refusal, to descriptor: Int32) {
        let bytes = rawReply(refusal, nextID())
        _ = Transport.socket(descriptor).send(bytes.span)
    }

    /// Sends a refusal past libmicrohttpd, which is told to close the connection next.
    func sendRaw(_ refusal: Refusal, to connection: Connection) {
        let isKnown = connection.phase == .body
        let bytes = rawReply(refusal, (isKnown ? connection.exchange?.id : nil) ?? nextID())
        _ = Transport.of(connection, isTLS: isTLS).send(bytes.span)
        connection.mustLinger = true
        connection.exchange?.answered()
        connection.enter(.over)
    }

    private func rawReply(_ refusal: Refusal, _ id: RequestID) -> [UInt8] {
        metrics.refused.with(refusal.code).increment()
        metrics.count(refusal.status)
        return RawReply.encode(renderProblem(refusal.problem(id.text)), id, date)
    }
}

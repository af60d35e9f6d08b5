internal import CMicrohttpd
internal import Runtime

// How a connection becomes an event stream.
extension ServerCore {
    /// Answers with a stream. Over plain TCP the stream gets the socket, and libmicrohttpd closes its
    /// own descriptor of it; over TLS the connection stays suspended, and the stream writes through
    /// its session.
    func open(
        _ stream: EventStream, _ connection: Connection, _ exchange: HTTPExchange
    ) -> MHD_Result {
        if exchange.method == .head { return answerHead(stream, connection, exchange) }
        if isStopping || streams.count >= limits.streams {
            stream.close()
            return refuse(connection, exchange, isStopping ? .stopping : .tooManyStreams)
        }
        let head = streamHead(stream, exchange)
        exchange.answered()
        metrics.count(200)
        return isTLS
            ? openSuspended(stream, head, connection, exchange)
            : handOver(stream, head, connection, exchange)
    }

    private func streamHead(_ stream: EventStream, _ exchange: HTTPExchange) -> [UInt8] {
        var head = RawReply.head(status: 200, exchange.id, date)
        for (name, value) in Self.streamFields + stream.headers
        where !ResponseHeader.isReserved(name) {
            RawReply.append(name, value, to: &head)
        }
        for field in exchange.addedFields { RawReply.append(field.name, field.value, to: &head) }
        if !exchange.isVersion10 { RawReply.append("Transfer-Encoding", "chunked", to: &head) }
        head.append(contentsOf: "\r\n".utf8)
        return head
    }

    private static let streamFields = [
        ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"),
        ("X-Accel-Buffering", "no"),
    ]

    private func answerHead(
        _ stream: EventStream, _ connection: Connection, _ exchange: HTTPExchange
    ) -> MHD_Result {
        let response = PreparedResponse(
            status: 200, headers: Self.streamFields + stream.headers)
        stream.close()
        return queue(response, nil, connection, exchange)
    }

    private func handOver(
        _ stream: EventStream, _ head: [UInt8], _ connection: Connection, _ exchange: HTTPExchange
    ) -> MHD_Result {
        let descriptor = freshet_duplicate(connection.descriptor)
        guard descriptor >= 0 else {
            stream.close()
            return refuse(connection, exchange, .failed)
        }
        // A client that is not there any more is noticed by the next heartbeat's time.
        _ = freshet_set_option(
            descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, Self.unacknowledgedMax)
        connection.isHandedOver = true
        connection.enter(.over)
        let address = connection.address
        stream.open(
            .socket(descriptor), head: head, isChunked: !exchange.isVersion10,
            queueBytesMax: limits.streamQueueBytes, table: streams
        ) {
            closeSocket(descriptor)
            self.addressLeft(address)
            self.checkDrained()
        }
        // Closes libmicrohttpd's descriptor, not the connection.
        return .NO
    }

    /// Milliseconds without an acknowledgement after which a connection is dead.
    private static let unacknowledgedMax: Int32 = 30_000

    private func openSuspended(
        _ stream: EventStream, _ head: [UInt8], _ connection: Connection, _ exchange: HTTPExchange
    ) -> MHD_Result {
        connection.enter(.suspended)
        countSuspended(1)
        unsafe MHD_suspend_connection(connection.handle)
        stream.open(
            Transport.of(connection, isTLS: true), head: head, isChunked: !exchange.isVersion10,
            queueBytesMax: limits.streamQueueBytes, table: streams
        ) {
            // Without a reply it is closed.
            self.resume(connection)
        }
        return .YES
    }
}

internal import CMicrohttpd
internal import Runtime

// A request from its first line to its reply.
extension ServerCore {
    /// The request line was read.
    func targetRead(
        _ connection: Connection, _ target: String, at place: Range<UInt>, hasBlank: Bool
    ) {
        connection.hasBlankTarget = hasBlank
        connection.targetPlace = place
        connection.enter(.head)
        // The exchange is used again unless somebody still has it.
        if isKnownUniquelyReferenced(&connection.exchange), let exchange = connection.exchange {
            exchange.reuse(target: target)
        } else {
            connection.exchange = HTTPExchange(target: target, on: connection)
        }
    }

    /// All header fields are there; a body may follow. A reply given now closes the connection.
    func headComplete(
        _ connection: Connection, _ method: UnsafePointer<CChar>,
        version: UnsafePointer<CChar>
    ) -> MHD_Result {
        guard let exchange = connection.exchange else { return .NO }
        let size = unsafe freshet_mhd_header_size(connection.handle)
        let isVersion10 = unsafe strcmp(version, "HTTP/1.0") == 0
        let fields = unsafe HeaderFields.read(
            connection.handle, isVersion10: isVersion10, method: method,
            target: connection.targetPlace, version: version, headBytes: size)
        let id = fields.requestID.map { RequestID.given($0) } ?? nextID()
        exchange.begin(
            unsafe HTTPMethod(cString: method), isVersion10: isVersion10, id: id,
            names: fields.names, at: now)
        connection.accountedBytes += UInt64(size)
        metrics.requests.increment()
        if connection.hasBlankTarget {
            return refuse(
                connection, exchange,
                .malformed("The request target holds a blank or a control character."))
        }
        if let refusal = refusal(of: exchange, fields, headerBytes: size) {
            return refuse(connection, exchange, refusal)
        }
        if let length = fields.framing.contentLength {
            if length > 0 { exchange.reserveBody(length) }
        } else {
            // The bytes of chunk sizes are not told.
            connection.isAccountExact = false
        }
        connection.enter(.body)
        return .YES
    }

    private func refusal(
        of exchange: HTTPExchange, _ fields: HeaderFields, headerBytes: Int
    ) -> Refusal? {
        if exchange.target.utf8.count > limits.targetBytes {
            return .targetTooLong(limits.targetBytes)
        }
        if headerBytes > limits.headerBytes { return .headerTooLarge(limits.headerBytes) }
        if let refusal = fields.refusal { return refusal }
        if exchange.target.utf8.first != UInt8(ascii: "/"), !TargetForm.isSound(exchange) {
            return .malformed("The request target is no path, and no URI of the host in `Host`.")
        }
        if let length = fields.framing.contentLength, length > limits.bodyBytes {
            return .bodyTooLarge(limits.bodyBytes)
        }
        return nil
    }

    /// A part of the body.
    func bodyArrived(
        _ connection: Connection, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> MHD_Result {
        guard let exchange = connection.exchange else { return .NO }
        connection.accountedBytes += UInt64(bytes.count)
        progress += 1
        guard exchange.body.count + bytes.count <= limits.bodyBytes else {
            // In chunks, so nobody knew before. libmicrohttpd takes no reply here: it is ours to send.
            sendRaw(.bodyTooLarge(limits.bodyBytes), to: connection)
            return .NO
        }
        unsafe exchange.append(bytes)
        return .YES
    }

    /// The request is complete.
    func requestComplete(_ connection: Connection) -> MHD_Result {
        guard let exchange = connection.exchange else { return .NO }
        connection.enter(.handling)
        return answer(connection, exchange, handler.handle(exchange.request))
    }

    /// The connection was woken: the reply is there, or it is to be closed.
    func resumed(_ connection: Connection) -> MHD_Result {
        connection.isResuming = false
        countSuspended(-1)
        guard let exchange = connection.exchange, let reply = exchange.takePending() else {
            connection.enter(.over)
            return .NO
        }
        connection.enter(.handling)
        return answer(connection, exchange, reply)
    }

    private func answer(
        _ connection: Connection, _ exchange: HTTPExchange, _ reply: HTTPReply
    ) -> MHD_Result {
        switch reply {
        case .prepared(let response, let extra):
            return queue(response, extra, connection, exchange)
        case .response(let response):
            return queue(PreparedResponse(response), nil, connection, exchange)
        case .task(let body):
            guard let startTask else { return refuse(connection, exchange, .stopping) }
            suspend(connection, exchange)
            startTask(exchange, body)
            return .YES
        case .later(let keep):
            keep(exchange)
            if let reply = exchange.takePending() { return answer(connection, exchange, reply) }
            suspend(connection, exchange)
            return .YES
        case .stream(let stream):
            return open(stream, connection, exchange)
        }
    }

    func queue(
        _ response: PreparedResponse, _ extra: [String]?, _ connection: Connection,
        _ exchange: HTTPExchange
    ) -> MHD_Result {
        exchange.answered()
        connection.enter(.responding)
        metrics.count(response.status)
        metrics.duration.observe(nanoseconds: now &- min(exchange.receivedAt, now))
        let isQueued = unsafe response.queue(
            connection.handle, exchange.id, date, extra, added: exchange.addedFields,
            closing: isStopping)
        return isQueued ? .YES : .NO
    }

    /// Answers a request that the handler does not see.
    func refuse(
        _ connection: Connection, _ exchange: HTTPExchange, _ refusal: Refusal
    ) -> MHD_Result {
        let response = renderProblem(refusal.problem(exchange.requestID))
        connection.mustLinger = true
        return queue(PreparedResponse(response), nil, connection, exchange)
    }

    /// The request is over for libmicrohttpd.
    func requestOver(_ connection: Connection) {
        unwatch(connection)
        if connection.phase == .suspended { countSuspended(-1) }
        connection.exchange?.end()
        if connection.phase != .over { connection.enter(.idle) }
    }

    // MARK: waiting

    private func suspend(_ connection: Connection, _ exchange: HTTPExchange) {
        connection.enter(.suspended)
        countSuspended(1)
        unsafe MHD_suspend_connection(connection.handle)
        // libmicrohttpd does not look at a suspended connection; we do.
        connection.isWatched = loop.add(connection.descriptor, [.hangUp]) { _ in
            self.clientGone(connection)
        }
    }

    func unwatch(_ connection: Connection) {
        guard connection.isWatched else { return }
        connection.isWatched = false
        loop.remove(connection.descriptor)
    }

    private func clientGone(_ connection: Connection) {
        guard connection.phase == .suspended else { return unwatch(connection) }
        let exchange = connection.exchange
        exchange?.clientGone()
        // Without a reply it is closed.
        resume(connection)
    }

    /// Wakes a suspended connection; the daemon runs at the end of this turn.
    func resume(_ connection: Connection) {
        guard connection.phase == .suspended, !connection.isResuming else { return }
        connection.isResuming = true
        unwatch(connection)
        unsafe MHD_resume_connection(connection.handle)
        setNeedsRun()
    }
}

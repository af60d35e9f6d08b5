internal import CMicrohttpd
internal import Runtime

// What libmicrohttpd says on its own. When a later request of a connection is one it cannot read, it
// answers with a page of its own and leaves no way to change that; but it says so first, on the same
// thread, before it writes. So our answer is sent at that moment, and its page finds a closed socket.
extension ServerCore {
    func libraryLogged(_ text: String) {
        let announcement = "Error processing request (HTTP response code is "
        if text.hasPrefix(announcement),
            let status = Int(text.dropFirst(announcement.count).prefix(3))
        {
            replacePage(status, isChunk: text.contains("chunk"))
        } else {
            Log.trace("http.library", ["text": text.prefix(while: { $0 != "\n" }).description])
        }
    }

    private func replacePage(_ status: Int, isChunk: Bool) {
        guard !isTLS, let connection = culprit(status, isChunk: isChunk) else {
            metrics.refused.with("library_page").increment()
            pageRun = now
            return
        }
        sendRaw(refusal(status, isChunk: isChunk), to: connection)
        shutdown(connection.descriptor, Int32(SHUT_WR))
    }

    private func refusal(_ status: Int, isChunk: Bool) -> Refusal {
        switch status {
        case 413: .bodyTooLarge(limits.bodyBytes)
        case 414: .targetTooLong(limits.targetBytes)
        case 431: .headerTooLarge(limits.headerBytes)
        case 505: .version
        default:
            .malformed(isChunk ? "A chunk of the body is malformed." : "The request is malformed.")
        }
    }

    /// The connection it speaks of, which it does not say: the one that has given bytes which belong
    /// to no complete head yet. `nil` when that is not exactly one.
    private func culprit(_ status: Int, isChunk: Bool) -> Connection? {
        // Two system calls for each; with more, its own page has to do.
        guard connections.count <= 1024 else { return nil }
        if isChunk { return onlyInChunks }
        var found: [(connection: Connection, bytes: UInt64)] = []
        for connection in connections.all
        where connection.isAccountExact && (connection.phase == .idle || connection.phase == .head)
        {
            let bytes = unaccountedBytes(connection)
            if bytes > 0 { found.append((connection, bytes)) }
        }
        if found.count > 1 && (status == 414 || status == 431) {
            found.removeAll { $0.bytes < UInt64(limits.headerBytes) }
        }
        if found.isEmpty { return onlyInChunks }
        return found.count == 1 ? found[0].connection : nil
    }

    /// The connection whose body comes in chunks; fields may follow the last one. `nil` when that is
    /// not exactly one.
    private var onlyInChunks: Connection? {
        let reading = connections.all.filter { $0.phase == .body && !$0.isAccountExact }
        return reading.count == 1 ? reading[0] : nil
    }

    /// libmicrohttpd closes a connection, for the last time with its socket open. About some errors it
    /// says nothing at all, neither to the client nor to us; a client that went gets an answer it does
    /// not read.
    func answerBeforeClosing(_ connection: Connection) {
        guard !isTLS, !connection.isHandedOver, !connection.mustLinger, pageRun != now else {
            return
        }
        guard connection.phase == .idle || connection.phase == .head else { return }
        // What it is closed for in the run that ended its last request is that request's end. And the
        // end of what a client sends counts as one byte.
        guard connection.isAccountExact, connection.since != now, unaccountedBytes(connection) > 1
        else { return }
        sendRaw(.malformed("The request is malformed, or not complete."), to: connection)
    }

    /// What libmicrohttpd has read of the connection beyond its complete heads and bodies.
    private func unaccountedBytes(_ connection: Connection) -> UInt64 {
        var acknowledged: UInt64 = 0
        var received: UInt64 = 0
        guard
            unsafe freshet_tcp_progress(connection.descriptor, &acknowledged, &received) == 0
        else { return 0 }
        let unread = UInt64(max(0, freshet_unread(connection.descriptor)))
        let read = received - min(received, unread)
        return read - min(read, connection.accountedBytes)
    }
}

internal import CMicrohttpd
internal import Runtime

// Deadlines. libmicrohttpd has one timeout, which every byte puts off, and none for who is suspended;
// so it has none here, and all connections are looked at now and then.
extension ServerCore {
    func sweepLater() {
        loop.schedule(after: limits.sweepInterval) {
            guard self.daemon != nil else { return }
            self.sweep()
            self.sweepLater()
        }
    }

    private func sweep() {
        let now = EventLoop.monotonicNanoseconds()
        date.refresh(now)
        gate.sweep(now, timeout: limits.headerTimeout.nanoseconds)
        let idle = limits.idleTimeout.nanoseconds
        let header = limits.headerTimeout.nanoseconds
        let body = limits.bodyTimeout.nanoseconds
        let write = limits.writeTimeout.nanoseconds
        for connection in connections.all {
            let age = now &- min(connection.since, now)
            switch connection.phase {
            case .idle where age > (connection.accountedBytes == 0 ? header : idle):
                abandon(connection)
            case .head where age > header, .body where age > body:
                sendRaw(.timeout, to: connection)
                abandon(connection)
            case .responding where age > write: checkProgress(connection)
            default: break
            }
        }
    }

    /// A response whose reader has taken nothing for so long is given up.
    private func checkProgress(_ connection: Connection) {
        var acknowledged: UInt64 = 0
        var received: UInt64 = 0
        let known = unsafe freshet_tcp_progress(
            connection.descriptor, &acknowledged, &received)
        if known == 0 && acknowledged > connection.acknowledgedBytes {
            connection.acknowledgedBytes = acknowledged
            connection.enter(.responding)
        } else {
            abandon(connection)
        }
    }

    /// libmicrohttpd asks to be run again at once, for ever, when the size line of a chunk or a trailer
    /// does not fit into its memory: it neither reads on nor gives up. Whoever has it do so is told.
    func abandonStuck() {
        for connection in connections.all
        where connection.phase == .body && !connection.isAccountExact {
            sendRaw(
                .malformed("The size of a chunk, or the trailer, is too long."), to: connection)
            abandon(connection)
        }
    }

    /// libmicrohttpd cannot be told to close a connection; it notices that the socket has ended.
    func abandon(_ connection: Connection) {
        // Nor does it look while it has no room to read into. A timeout ends that.
        if !connection.isAccountExact { unsafe freshet_mhd_expire(connection.handle) }
        if connection.phase != .over { connection.enter(.over) }
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
    }
}

internal import Runtime

// A new certificate for connections to come. libmicrohttpd reads its certificate when a daemon starts,
// so a second daemon takes over; the first goes on with the connections it has, until the last of them
// has gone.
extension ServerCore {
    /// - Throws: When the certificate or its key is not usable; then nothing changes.
    func replaceCertificate(_ tls: HTTPServer.TLS) throws(HTTPServerError) {
        loop.checkIsolated()
        guard isTLS, let old = daemon, !isStopping else { return }
        let new = try Daemon(core: self, limits: limits, tls: tls)
        daemon = new
        retired.append(old)
        watch(new)
        setNeedsRun()
    }

    /// After the run of the one that takes connections.
    func driveRetired() {
        for one in retired {
            one.run()
            if one.isPending { runNextTurn() }
        }
        for one in retired where one.connectionCount == 0 {
            loop.remove(one.epoll)
            one.stop()
        }
        retired.removeAll { $0.connectionCount == 0 }
    }
}

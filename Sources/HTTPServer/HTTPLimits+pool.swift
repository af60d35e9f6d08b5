extension HTTPLimits {
    /// What libmicrohttpd gets for the memory of one request. It reads into one half and clears all of
    /// it after each request, so it is no larger than needed: two heads (a cookie is copied) and an
    /// answer's head.
    var poolBytes: Int { 2 * headerBytes + 2048 }

    /// The shortest of the deadlines decides how often they are looked at.
    var sweepInterval: Duration {
        let shortest = min(headerTimeout, bodyTimeout, idleTimeout, writeTimeout)
        return min(max(shortest / 4, .milliseconds(20)), .seconds(1))
    }

    func check() {
        precondition(connections > 0 && streams >= 0, "an HTTP server needs room for a connection")
        precondition(
            headerBytes >= 256 && headerBytes <= 32 * 1024, "headerBytes: 256 bytes to 32 KiB")
        precondition(
            targetBytes > 0 && targetBytes <= headerBytes, "targetBytes must not pass headerBytes")
        precondition(bodyBytes >= 0 && streamQueueBytes > 0, "limits are not negative")
    }
}

extension Duration {
    /// Never negative, in nanoseconds.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 { return 0 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
    }
}

extension HTTPLimits {
    /// What libmicrohttpd gets for the memory of one request: its head, a record of 64 bytes for each
    /// field, and its answer's head. It clears all of that twice per request, which at 18 KB was 7 % of
    /// a cached read; so it is no larger than needed.
    var poolBytes: Int { headerBytes + 2048 }

    /// The shortest of the deadlines decides how often they are looked at.
    var sweepInterval: Duration {
        let shortest = min(headerTimeout, bodyTimeout, idleTimeout, writeTimeout)
        return min(max(shortest / 4, .milliseconds(20)), .seconds(1))
    }

    func check() {
        precondition(connections > 0 && streams >= 0, "an HTTP server needs room for a connection")
        precondition(
            headerBytes >= 256 && headerBytes <= 30 * 1024, "headerBytes: 256 bytes to 30 KiB")
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

internal import FreshetModel

/// Token buckets, one per caller: a key of the API, or an address where there are no keys.
///
/// A bucket that has filled up again says nothing, so it is forgotten; memory is bounded by the
/// callers seen within the time that filling takes, and by `bucketsAtMost`.
struct RateLimiter {
    /// What becomes of a request.
    enum Decision: Equatable {
        case admitted
        /// Too many: the seconds until there is a token again.
        case refused(retryAfter: Int)
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: UInt64
    }

    private static let bucketsAtMost = 100_000

    private let limit: RateLimit
    private var buckets: [String: Bucket] = [:]
    private var sweepAbove = 1024

    init(_ limit: RateLimit) { self.limit = limit }

    /// Takes a token from `caller`'s bucket at `now`, nanoseconds of the monotonic clock.
    mutating func admit(_ caller: String, now: UInt64) -> Decision {
        var bucket = buckets[caller] ?? Bucket(tokens: Double(limit.burst), filledAt: now)
        fill(&bucket, now)
        guard bucket.tokens >= 1 else {
            buckets[caller] = bucket
            let wait = (1 - bucket.tokens) / limit.requestsPerSecond
            return .refused(retryAfter: max(1, Int(wait.rounded(.up))))
        }
        bucket.tokens -= 1
        buckets[caller] = bucket
        if buckets.count > sweepAbove { sweep(now) }
        return .admitted
    }

    /// The fields of draft-ietf-httpapi-ratelimit-headers for a refused request.
    func fields(retryAfter: Int) -> [(name: String, value: String)] {
        let window = max(1, Int((Double(limit.burst) / limit.requestsPerSecond).rounded(.up)))
        return [
            ("RateLimit-Policy", "\"default\";q=\(limit.burst);w=\(window)"),
            ("RateLimit", "\"default\";r=0;t=\(retryAfter)"),
        ]
    }

    private func fill(_ bucket: inout Bucket, _ now: UInt64) {
        let seconds = Double(now &- bucket.filledAt) / 1e9
        bucket.tokens = min(Double(limit.burst), bucket.tokens + seconds * limit.requestsPerSecond)
        bucket.filledAt = now
    }

    private mutating func sweep(_ now: UInt64) {
        buckets = buckets.filter { _, bucket in
            var bucket = bucket
            fill(&bucket, now)
            return bucket.tokens < Double(limit.burst) - 0.5
        }
        if buckets.count > Self.bucketsAtMost { buckets.removeAll() }
        sweepAbove = max(1024, buckets.count * 2)
    }
}

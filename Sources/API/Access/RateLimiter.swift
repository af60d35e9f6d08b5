internal import FreshetModel
internal import HTTPServer

/// Token buckets, one per caller: a key of the API, or an address where there are no keys.
///
/// A bucket that has filled up again says nothing, so it is forgotten; memory is bounded by the
/// callers seen within the time that filling takes, and by `bucketsAtMost`.
struct RateLimiter {
    /// What becomes of a request.
    struct Decision {
        /// `nil`: admitted. Otherwise the seconds until there is a token again.
        let retryAfter: Int?
        /// `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers.
        let fields: [HTTPField]
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: UInt64
    }

    private static let bucketsAtMost = 100_000

    private let limit: RateLimit
    private let policy: HTTPField
    private var buckets: [String: Bucket] = [:]
    private var sweepAbove = 1024

    init(_ limit: RateLimit) {
        self.limit = limit
        let window = max(1, Int((Double(limit.burst) / limit.requestsPerSecond).rounded(.up)))
        policy = HTTPField("RateLimit-Policy", "\"default\";q=\(limit.burst);w=\(window)")
    }

    /// Takes a token from `caller`'s bucket at `now`, nanoseconds of the monotonic clock.
    mutating func admit(_ caller: String, now: UInt64) -> Decision {
        var bucket = buckets[caller] ?? Bucket(tokens: Double(limit.burst), filledAt: now)
        fill(&bucket, now)
        guard bucket.tokens >= 1 else {
            buckets[caller] = bucket
            let wait = seconds(until: 1, bucket)
            return Decision(retryAfter: wait, fields: [policy, state(left: 0, seconds: wait)])
        }
        bucket.tokens -= 1
        buckets[caller] = bucket
        if buckets.count > sweepAbove { sweep(now) }
        let left = Int(bucket.tokens)
        return Decision(
            retryAfter: nil,
            fields: [
                policy, state(left: left, seconds: seconds(until: Double(left + 1), bucket)),
            ])
    }

    /// `r`: requests left now; `t`: seconds until there is one more.
    private func state(left: Int, seconds: Int) -> HTTPField {
        HTTPField("RateLimit", "\"default\";r=\(left);t=\(seconds)")
    }

    private func seconds(until tokens: Double, _ bucket: Bucket) -> Int {
        max(1, Int(((tokens - bucket.tokens) / limit.requestsPerSecond).rounded(.up)))
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

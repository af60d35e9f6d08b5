internal import FreshetModel

/// What one place says about retries; what it leaves out comes from the places beneath.
struct RetryLayer {
    var maximum: Located<Int>?
    var interval: Located<Duration>?
    var backoff: Located<Double>?
    var maximumInterval: Located<Duration>?

    static func counts(_ node: Node) throws(ValueError) -> Int {
        try Values.integer(0...1000)(node)
    }

    static func intervals(_ node: Node) throws(ValueError) -> Duration {
        try Values.duration(.milliseconds(1) ... .seconds(30 * 86_400))(node)
    }

    init() {}

    /// `retry:` of a resource or of `defaults`.
    init(_ node: Node, _ report: Report) {
        let fields = Fields(node, of: "`retry`", known: FieldNames.retry, report)
        maximum = fields.read("max", Self.counts)
        interval = fields.read("interval", Self.intervals)
        backoff = fields.read(
            "backoff", Values.number("in 1 ... 10") { (1...10).contains($0) })
        maximumInterval = fields.read("max_interval", Self.intervals)
        if let interval, let maximumInterval, maximumInterval.value < interval.value {
            report.error(maximumInterval.place, "`max_interval` is shorter than `interval`")
        }
    }

    /// Fills in what is not said from `other`.
    mutating func fill(from other: RetryLayer) {
        maximum = maximum ?? other.maximum
        interval = interval ?? other.interval
        backoff = backoff ?? other.backoff
        maximumInterval = maximumInterval ?? other.maximumInterval
    }

    var policy: RetryPolicy {
        var policy = RetryPolicy()
        if let maximum { policy.maximumRetries = maximum.value }
        if let interval { policy.interval = interval.value }
        if let backoff { policy.backoff = backoff.value }
        if let maximumInterval { policy.maximumInterval = maximumInterval.value }
        return policy
    }
}

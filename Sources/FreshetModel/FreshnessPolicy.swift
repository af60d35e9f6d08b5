/// How long a payload may serve as fresh.
public enum FreshFor: Hashable, Sendable {
    /// Stale at this age.
    case duration(Duration)
    /// Never goes stale.
    case never
    /// Stale from the start.
    case always
}

/// How long payloads are fresh and kept, and what happens around those ages.
public struct FreshnessPolicy: Hashable, Sendable {
    /// Age below which a payload is fresh.
    ///
    /// Default: 5 min.
    public var freshFor: FreshFor = .duration(.seconds(300))
    /// Age up to which a stale payload is served; `nil` until purged.
    ///
    /// Default: 7 days.
    public var keepFor: Duration? = .seconds(7 * 86_400)
    /// A read past this share of `freshFor` queues a refresh before the payload goes stale.
    ///
    /// Default: `nil`, never. Range: above 0, below 1.
    public var refreshAhead: Double?
    /// Spreads `freshFor` by up to this share to either side, so that keys made together do not
    /// go stale together.
    ///
    /// Default: 0. Range: 0 ... 0.5.
    public var jitter: Double = 0

    /// The defaults of the configuration.
    public init() {}
}

/// When failed attempts are repeated.
public struct RetryPolicy: Hashable, Sendable {
    /// Retries after the first attempt; 0: none.
    ///
    /// Default: 3.
    public var maximumRetries: Int = 3
    /// Delay before the first retry.
    ///
    /// Default: 60 s.
    public var interval: Duration = .seconds(60)
    /// What the delay is multiplied with for each further retry.
    ///
    /// Default: 2. Range: 1 ... 10.
    public var backoff: Double = 2
    /// The longest delay.
    ///
    /// Default: 10 min.
    public var maximumInterval: Duration = .seconds(600)

    /// The defaults of the configuration.
    public init() {}

    /// Attempts in all, the first included.
    public var maximumAttempts: Int { maximumRetries + 1 }

    /// The delay after the failed attempt `attempt`, or `nil` when no attempt is left.
    ///
    /// - Parameters:
    ///   - attempt: The attempt that failed, from 1.
    ///   - spread: A random number in 0 ..< 1; the delay is moved by up to 10 % to either side.
    public func delay(afterAttempt attempt: Int, spread: Double) -> Duration? {
        guard attempt <= maximumRetries else { return nil }
        var seconds = interval.inSeconds
        for _ in 1..<max(1, attempt) {
            guard seconds < maximumInterval.inSeconds else { break }
            seconds *= backoff
        }
        seconds = min(seconds, max(interval, maximumInterval).inSeconds)
        return .milliseconds(Int64(min(seconds * (0.9 + 0.2 * spread) * 1000, 1e15)))
    }
}

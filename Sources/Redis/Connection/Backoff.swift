/// How long to wait before the next attempt: a random part ("full jitter") of a bound that doubles
/// with each failure, so that many processes do not come back at once.
struct Backoff {
    private static let first = 20 * Nanoseconds.perMillisecond
    /// No attempt follows faster, whatever the die says.
    private static let floor = 5 * Nanoseconds.perMillisecond

    private let maximum: UInt64
    private(set) var failures = 0

    init(maximum: UInt64) { self.maximum = max(maximum, Self.first) }

    /// The pause before the next attempt, in nanoseconds; `fraction` is random, 0 ..< 1.
    mutating func next(fraction: Double) -> UInt64 {
        let bound = min(maximum, Self.first << UInt64(min(failures, 20)))
        failures += 1
        return Self.floor + UInt64(Double(bound - Self.floor) * fraction)
    }

    mutating func reset() { failures = 0 }
}

/// Times of the loop's clock.
enum Nanoseconds {
    static let perMillisecond: UInt64 = 1_000_000
    static let perSecond: UInt64 = 1_000_000_000
}

extension Duration {
    /// Zero for a negative duration, at most 100 years.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 3_155_760_000)) * Nanoseconds.perSecond
            + UInt64(attoseconds / 1_000_000_000)
    }
}

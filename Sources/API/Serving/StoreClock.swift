internal import FreshetModel

/// The store's clock, told from this machine's monotonic clock without asking.
///
/// Each reply says what time it was there at some moment between sending and receiving, which bounds
/// the offset of the two clocks from both sides:
///
///     sent ────────── now ────────── received        (monotonic here, `now` there)
///      │←─ offset ≤ now - sent                 offset ≥ now - received ─→│
///
/// Bounds of many replies are intersected, so the estimate gets better than a round trip. When they
/// no longer meet, a clock was set or drifted, and the latest reply counts.
struct StoreClock {
    private var lowest: Int64 = .min
    private var highest: Int64 = .max

    /// Whether any reply was seen.
    var isKnown: Bool { lowest != .min }

    /// Learns from a reply; `sent` and `received` in nanoseconds of the monotonic clock.
    mutating func observe(_ now: Timestamp, sent: UInt64, received: UInt64) {
        let there = now.milliseconds * 1_000_000
        // `now` is cut to the millisecond: the true time is up to one later.
        let low = there - Int64(received)
        let high = there + 1_000_000 - Int64(sent)
        let isDisjoint = low > highest || high < lowest
        lowest = isDisjoint ? low : max(low, lowest)
        highest = isDisjoint ? high : min(high, highest)
    }

    /// The store's time at `monotonic`, nanoseconds of the monotonic clock; before any reply, the
    /// epoch.
    func now(_ monotonic: UInt64) -> Timestamp {
        guard isKnown else { return Timestamp(milliseconds: 0) }
        let offset = lowest + (highest - lowest) / 2
        return Timestamp(milliseconds: (Int64(monotonic) + offset) / 1_000_000)
    }
}

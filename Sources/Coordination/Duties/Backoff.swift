/// Delays between repeats of a call that fails: doubled from `base` up to `ceiling`, half of each
/// random, so that processes which lost Redis together do not come back together.
package struct Backoff: Sendable {
    /// The first delay.
    package var base: Duration
    /// The longest delay.
    package var ceiling: Duration
    /// Failures in a row.
    package private(set) var failures = 0

    package init(base: Duration = .milliseconds(50), ceiling: Duration = .seconds(2)) {
        self.base = base
        self.ceiling = ceiling
    }

    /// The delay after one more failure.
    ///
    /// - Parameter random: In 0 ..< 1.
    package mutating func next(random: Double) -> Duration {
        let doublings = min(failures, 30)
        failures += 1
        let full = min(base * (1 << doublings), ceiling)
        return full * (0.5 + 0.5 * random)
    }

    /// The call succeeded.
    package mutating func reset() { failures = 0 }
}

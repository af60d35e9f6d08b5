internal import FreshetModel

/// Stops asking a source that cannot be reached, until a probe finds it again.
///
///     closed ──(unreachable `failureLimit` times in a row, for `keyLimit` keys)──► open
///       ▲                                                                          │ pause over
///       └──────────(reached)────────── probing ◄───────────────────────────────────┘
///                                         └──(unreachable)──► open, pause doubled
///
/// A source with one or two keys never opens it: their retry policy spaces the attempts already, and
/// says when. The breaker is for the host behind a thousand keys. Any answer closes it, a refusal
/// too: what answers is reachable.
struct CircuitBreaker {
    /// Whether an attempt may run.
    enum Admission: Equatable {
        /// Run it.
        case run
        /// Not yet: hand the job back for so long.
        case wait(Duration)
    }

    private enum State {
        case closed
        case open(until: Duration)
        case probing
    }

    static let failureLimit = 5
    static let keyLimit = 3
    static let firstPause = Duration.seconds(5)
    static let longestPause = Duration.seconds(60)
    /// Others look again after this while a probe is out.
    static let probeWait = Duration.seconds(1)

    private var state = State.closed
    private var failures = 0
    private var failedKeys: Set<Key> = []
    private var pause = firstPause

    /// Whether attempts run without restriction.
    var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    /// Asks before an attempt; `.run` on an open breaker makes the attempt its probe.
    mutating func admit(at now: Duration) -> Admission {
        switch state {
        case .closed: return .run
        case .probing: return .wait(Self.probeWait)
        case .open(let end):
            guard now >= end else { return .wait(end - now) }
            state = .probing
            return .run
        }
    }

    /// The source answered, whatever it said. Returns whether that closed the breaker.
    @discardableResult
    mutating func reached() -> Bool {
        let wasClosed = isClosed
        state = .closed
        failures = 0
        failedKeys.removeAll()
        pause = Self.firstPause
        return !wasClosed
    }

    /// The source could not be reached for `key`. Returns the pause when that opened the breaker.
    mutating func missed(_ key: Key, at now: Duration) -> Duration? {
        switch state {
        case .open: return nil
        case .probing:
            pause = min(pause * 2, Self.longestPause)
        case .closed:
            failures += 1
            if failedKeys.count < Self.keyLimit { failedKeys.insert(key) }
            guard failures >= Self.failureLimit, failedKeys.count >= Self.keyLimit else {
                return nil
            }
        }
        state = .open(until: now + pause)
        return pause
    }

    /// The attempt ended without telling anything about the source: cancelled, or its lease lost.
    mutating func abandoned(at now: Duration) {
        // The next attempt is the probe then.
        if case .probing = state { state = .open(until: now) }
    }
}

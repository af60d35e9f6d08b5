package import Runtime
internal import Synchronization

/// The clock and the dice of a role's duties.
///
/// Durations only: no time of day of this machine takes part in a decision, Redis' clock does. Tests
/// turn clock and dice by hand.
package struct Pace: Sendable {
    /// Time since some moment; does not jump.
    package var now: @Sendable () -> Duration
    /// Suspends the caller; returns early when its task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void
    /// A random number in 0 ..< 1.
    package var random: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.sleep = sleep
        self.random = random
    }

    /// The machine's monotonic clock; sleeps are timers of `loop` when there is one.
    package static func machine(loop: EventLoop?) -> Pace {
        Pace(
            now: { .nanoseconds(Int64(EventLoop.monotonicNanoseconds())) },
            sleep: { duration in
                if let loop {
                    await loop.sleep(for: duration)
                } else {
                    // Cancellation is the other way to end a sleep, not an error.
                    try? await Task.sleep(for: duration)
                }
            },
            random: { Double.random(in: 0..<1) })
    }

    /// Suspends the caller for `duration` moved by up to `share` of it to either side.
    package func sleep(about duration: Duration, share: Double = 0.25) async {
        await sleep(duration * (1 - share + 2 * share * random()))
    }

    /// Waits for `nudge`, at most until `limit` has passed.
    package func wait(for nudge: Nudge, atMost limit: Duration) async {
        guard limit > .zero else { return }
        await withTaskGroup { group in
            group.addTask { await nudge.wait() }
            group.addTask { await sleep(limit) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Wakes one waiting task; a nudge that comes while nobody waits is kept for the next waiter.
package final class Nudge: Sendable {
    private enum State {
        case idle
        case given
        case waiting(CheckedContinuation<Void, Never>)
    }
    private let state = Mutex(State.idle)

    package init() {}

    /// Wakes the waiter, or lets the next one through.
    package func give() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if case .waiting(let continuation) = state {
                state = .idle
                return continuation
            }
            state = .given
            return nil
        }
        waiter?.resume()
    }

    /// Returns at the next nudge, or when the task is cancelled. One waiter at a time.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if case .waiting = state { preconditionFailure("two tasks wait for a nudge") }
                    if case .given = state {
                        state = .idle
                        return true
                    }
                    // The handler ran before there was somebody to wake.
                    guard !Task.isCancelled else { return true }
                    state = .waiting(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            wakeWaiter()
        }
    }

    /// Unlike `give`, leaves nothing behind for a later waiter.
    private func wakeWaiter() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard case .waiting(let continuation) = state else { return nil }
            state = .idle
            return continuation
        }
        waiter?.resume()
    }
}

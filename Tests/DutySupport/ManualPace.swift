package import Coordination
package import FreshetModel
internal import Synchronization

/// A clock that a test turns by hand.
package final class ManualPace: Sendable {
    private struct State {
        var now = Duration.seconds(1000)
        var nextNumber = 0
        var sleepers: [Int: (until: Duration, waiter: CheckedContinuation<Void, Never>)] = [:]
    }
    private let state = Mutex(State())
    private let dice: @Sendable () -> Double

    package init(random: @escaping @Sendable () -> Double = { 0.5 }) { dice = random }

    package var now: Duration { state.withLock { $0.now } }

    /// How many tasks sleep.
    package var sleeping: Int { state.withLock { $0.sleepers.count } }

    /// For the role under test.
    package var pace: Pace {
        Pace(now: { self.now }, sleep: { await self.sleep($0) }, random: dice)
    }

    /// For the store under test: its clock goes with this one, from `base`.
    package func storeClock(from base: Timestamp) -> @Sendable () -> Timestamp {
        let start = now
        return { base + (self.now - start) }
    }

    /// Lets `duration` pass; wakes who slept until then.
    package func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.waiter)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Lets time pass in steps until `condition` holds. After each the tasks get a moment of real
    /// time, for what they do between two sleeps.
    ///
    /// - Throws: `TooLate` when it does not within `limit` of this clock.
    package func advance(
        by step: Duration = .milliseconds(100), within limit: Duration = .seconds(600),
        until condition: () async throws -> Bool
    ) async throws {
        let end = now + limit
        while try await !condition() {
            guard now < end else { throw TooLate(limit: limit) }
            advance(by: step)
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    package struct TooLate: Error {
        package let limit: Duration
    }

    private func sleep(_ duration: Duration) async {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    guard duration > .zero, !Task.isCancelled else { return true }
                    state.sleepers[number] = (state.now + duration, waiter)
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number)?.waiter }?.resume()
        }
    }
}

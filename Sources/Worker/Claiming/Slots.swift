internal import Coordination
internal import Synchronization

/// The places for attempts in a worker: as many as it may run at once.
final class Slots: Sendable {
    let capacity: Int
    private let freeCount: Mutex<Int>
    private let nudge = Nudge()

    init(capacity: Int) {
        precondition(capacity > 0, "a worker has at least one slot")
        self.capacity = capacity
        freeCount = Mutex(capacity)
    }

    /// How many are free. Only the claim loop takes slots, so it may rely on them.
    var free: Int { freeCount.withLock { $0 } }

    /// How many are taken.
    var taken: Int { capacity - free }

    func take(_ count: Int) {
        freeCount.withLock { free in
            precondition(free >= count, "more jobs than slots")
            free -= count
        }
    }

    func release() {
        freeCount.withLock { $0 += 1 }
        nudge.give()
    }

    /// Returns once there is a free slot, or `isOver` when `wake` was called.
    func waitForFree(unless isOver: () -> Bool) async {
        while free == 0, !isOver() { await nudge.wait() }
    }

    /// Wakes the claim loop to look whether it is over.
    func wake() { nudge.give() }
}

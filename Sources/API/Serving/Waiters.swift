internal import Runtime

/// Tasks on one loop that wait for the same thing, each until its own deadline.
final class Waiters<Value: Sendable> {
    private struct Waiter {
        var continuation: CheckedContinuation<Value?, Never>
        var timer: EventLoop.Timer?
    }

    private let loop: EventLoop
    private var waiting: [UInt64: Waiter] = [:]
    private var nextNumber: UInt64 = 1

    init(loop: EventLoop) { self.loop = loop }

    var isEmpty: Bool { waiting.isEmpty }

    /// Waits for `resumeAll`, at most for `limit`.
    /// - Returns: What came, or `nil` when the time passed first.
    func wait(atMost limit: Duration? = nil) async -> Value? {
        let number = nextNumber
        nextNumber += 1
        return await withCheckedContinuation { continuation in
            var waiter = Waiter(continuation: continuation)
            if let limit {
                waiter.timer = loop.schedule(after: limit) { [weak self] in
                    self?.waiting.removeValue(forKey: number)?.continuation.resume(returning: nil)
                }
            }
            waiting[number] = waiter
        }
    }

    /// Wakes all, in the order they came, within this turn.
    func resumeAll(returning value: Value) {
        guard !waiting.isEmpty else { return }
        let woken = waiting.sorted { $0.key < $1.key }
        waiting.removeAll()
        for (_, waiter) in woken {
            if let timer = waiter.timer { loop.cancel(timer) }
            waiter.continuation.resume(returning: value)
        }
    }
}

internal import FreshetModel
internal import RefreshSources
internal import Synchronization

/// One run of a source under a claim, which can be told to stop and can be left behind.
///
/// A source may ignore cancellation, blocked in a C library or in a loop of its own; as a child task
/// it would hold its slot and the worker's shutdown for as long as it likes. So it runs in a task
/// that can be left behind. It cannot do harm then: its lease is gone, what it returns is dropped.
final class Attempt: Sendable {
    /// Why an attempt was told to stop.
    enum Stop: Sendable, Equatable {
        /// `timeout` of its resource has passed.
        case timedOut
        /// The store gave the job to somebody else, or it could not be asked for a whole lease.
        case leaseLost
        /// Its slot under `max_concurrent` is another's now, or could not be renewed.
        case slotLost
        /// Somebody cancelled the job or purged the key.
        case cancelled
        /// The worker ends and the time to drain has passed.
        case shutdown
    }

    /// What a source that was let finish brought.
    typealias Product = Result<SourceOutcome, SourceError>

    private struct State {
        var task: Task<Void, Never>?
        var stop: Stop?
        var isDeaf = false
        var isLeft = false
        var waiter: CheckedContinuation<Product?, Never>?
    }
    private let state = Mutex(State())

    /// Why it was told to stop; `nil`: it was not.
    var stopped: Stop? { state.withLock { $0.stop } }

    /// Runs `body` on the global executor, away from the worker's loop.
    ///
    /// - Returns: What it brought, `nil` when it was given up or stopped before it began.
    func run(_ body: @escaping @Sendable () async -> Product) async -> Product? {
        await withCheckedContinuation { continuation in
            let isStopped = state.withLock { state in
                guard state.stop == nil else { return true }
                state.waiter = continuation
                return false
            }
            guard !isStopped else { return continuation.resume(returning: nil) }
            let task = Unattached.start {
                let product = await body()
                self.takeWaiter()?.resume(returning: product)
            }
            let isLate = state.withLock { state in
                state.task = task
                return state.stop != nil
            }
            if isLate { task.cancel() }
        }
    }

    /// Tells the source to stop. The first reason counts. Returns whether this was it.
    func stop(_ why: Stop) -> Bool {
        let (isFirst, task) = state.withLock { state in
            guard state.stop == nil else { return (false, nil as Task<Void, Never>?) }
            state.stop = why
            return (true, state.task)
        }
        task?.cancel()
        return isFirst
    }

    /// Waits no longer for the source to stop.
    ///
    /// - Parameter isDeaf: It had time to, and did not.
    func giveUp(isDeaf: Bool) {
        let waiter = state.withLock { state in
            if state.waiter != nil {
                state.isDeaf = isDeaf
                state.isLeft = true
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// Whether the source was left behind because it did not stop in its grace.
    var isDeaf: Bool { state.withLock { $0.isDeaf } }

    /// Whether the source was left behind, for that reason or another: it may be running still.
    var isLeft: Bool { state.withLock { $0.isLeft } }

    private func takeWaiter() -> CheckedContinuation<Product?, Never>? {
        state.withLock { state in
            defer {
                state.waiter = nil
                state.task = nil
            }
            return state.waiter
        }
    }
}

import Synchronization

/// Tells work on a thread of its own that its task was cancelled.
final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let flag = Atomic(false)

    /// Whether to stop. Cheap enough to ask for every file, chunk or row.
    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Calls `wake` at cancellation, or now when that has passed. It interrupts whatever blocks the
    /// thread, runs under a lock and so must be quick.
    func onCancel(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if state.isCancelled { wake() } else { state.wake = wake }
        }
    }

    /// Forgets what `onCancel` was given; when this returns it does not run and will not.
    func forget() { state.withLock { $0.wake = nil } }

    func cancel() {
        flag.store(true, ordering: .relaxed)
        state.withLock { state in
            state.isCancelled = true
            state.wake?()
            state.wake = nil
        }
    }

    /// Throws when the work is to stop.
    func check() throws(SourceError) {
        if isCancelled { throw .cancelled }
    }
}

extension SourceError {
    /// What a source throws when it was told to stop.
    static var cancelled: SourceError { SourceError("cancelled") }

    /// A failure that no retry can mend.
    static func permanent(_ message: String) -> SourceError {
        SourceError(message, isPermanent: true)
    }
}

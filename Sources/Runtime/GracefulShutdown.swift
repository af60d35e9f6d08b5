internal import Synchronization

/// Tells everything that runs under it, once, to finish what it holds.
///
/// It travels in a task local, so a service learns of the shutdown of its group without being handed
/// anything.
package final class ShutdownTrigger: Sendable {
    @TaskLocal package static var current: ShutdownTrigger?

    private struct State {
        var isTriggered = false
        var nextNumber = 0
        var handlers: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether the shutdown has begun.
    package var isTriggered: Bool { state.withLock { $0.isTriggered } }

    /// Begins the shutdown; the handlers run before this returns. Later calls do nothing.
    package func trigger() {
        let handlers = state.withLock { state in
            state.isTriggered = true
            defer { state.handlers.removeAll() }
            return state.handlers
        }
        for number in handlers.keys.sorted() { handlers[number]?() }
    }

    /// Runs `handler` once, when the shutdown begins, or at once when it has begun.
    /// Returns what `remove` takes, `nil` when the handler ran already.
    package func onTrigger(_ handler: @escaping @Sendable () -> Void) -> Int? {
        let number: Int? = state.withLock { state in
            if state.isTriggered { return nil }
            state.nextNumber += 1
            state.handlers[state.nextNumber] = handler
            return state.nextNumber
        }
        if number == nil { handler() }
        return number
    }

    /// Forgets a handler of `onTrigger`.
    package func remove(_ number: Int) {
        state.withLock { _ = $0.handlers.removeValue(forKey: number) }
    }
}

/// Whether the group around the current task is shutting down.
package var isShuttingDown: Bool { ShutdownTrigger.current?.isTriggered ?? false }

/// Runs `operation`; when a graceful shutdown begins meanwhile, or has begun, calls `handler` once,
/// on whatever thread the shutdown begins.
package func withGracefulShutdownHandler<Value>(
    operation: () async throws -> Value,
    onGracefulShutdown handler: @escaping @Sendable () -> Void
) async rethrows -> Value {
    guard let trigger = ShutdownTrigger.current else { return try await operation() }
    let number = trigger.onTrigger(handler)
    defer {
        if let number { trigger.remove(number) }
    }
    return try await operation()
}

/// Returns when a graceful shutdown begins.
///
/// - Throws: `CancellationError` when the task is cancelled first.
package func gracefulShutdown() async throws {
    let gate = Gate()
    await withTaskCancellationHandler {
        await withGracefulShutdownHandler {
            await gate.wait()
        } onGracefulShutdown: {
            gate.open()
        }
    } onCancel: {
        gate.open()
    }
    if !isShuttingDown { throw CancellationError() }
}

/// Suspends any number of tasks until it is opened, once and for good.
package final class Gate: Sendable {
    private enum State {
        case closed([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Mutex(State.closed([]))

    package init() {}

    /// Lets everybody pass, now and later.
    package func open() {
        let waiting: [CheckedContinuation<Void, Never>] = state.withLock { state in
            defer { state = .open }
            if case .closed(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once open; cancellation does not end the wait.
    package func wait() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                guard case .closed(let waiting) = state else { return true }
                state = .closed(waiting + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
    }
}

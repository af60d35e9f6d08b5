internal import Coordination
internal import Runtime

/// Tasks on one loop that wait for the same thing, each until its own deadline.
///
/// Waiting has two steps, because an `await` may let others run before the awaited call begins: who
/// registers before it looks at the state, or changes it, misses nothing.
///
///     let ticket = waiters.register()
///     guard !isThere else { return }
///     await ticket.value(atMost: .seconds(1))
final class Waiters<Value: Sendable> {
    private let loop: EventLoop
    private var tickets: [Ticket<Value>] = []

    init(loop: EventLoop) { self.loop = loop }

    /// Whether nobody waits.
    var isEmpty: Bool { tickets.allSatisfy(\.isAbandoned) }

    /// A place among those that wait from now on.
    func register() -> Ticket<Value> {
        loop.checkIsolated()
        let ticket = Ticket<Value>(loop: loop)
        // Those whose time passed are swept when as many may have gathered as there are.
        if tickets.count == tickets.capacity { tickets.removeAll(where: \.isAbandoned) }
        tickets.append(ticket)
        return ticket
    }

    /// Begins something of the store's and waits for what comes of it.
    ///
    /// A read of what is not held fails within a second where the store does, while one of a large
    /// payload may take longer where it does not.
    /// - Returns: `nil` when nothing came in time.
    func outcome(_ health: StoreHealth, begin: () -> Void) async -> Value? {
        let first = register()
        let second = register()
        begin()
        if let value = await first.value(atMost: .milliseconds(750)) {
            second.cancel()
            return value
        }
        guard !health.isFailing else {
            second.cancel()
            return nil
        }
        return await second.value(atMost: .seconds(30))
    }

    /// Wakes all, in the order they came, within this turn.
    func resumeAll(returning value: Value) {
        loop.checkIsolated()
        guard !tickets.isEmpty else { return }
        let woken = tickets
        tickets.removeAll()
        for ticket in woken { ticket.resolve(value) }
    }
}

/// A place among those that wait: used by one task, once.
final class Ticket<Value: Sendable> {
    private enum State {
        case registered
        case waiting(CheckedContinuation<Value?, Never>, EventLoop.Timer)
        case resolved(Value)
        case abandoned
    }

    private let loop: EventLoop
    private var state = State.registered

    fileprivate init(loop: EventLoop) { self.loop = loop }

    /// Whether nobody will ask for its value any more.
    fileprivate var isAbandoned: Bool {
        if case .abandoned = state { true } else { false }
    }

    /// What came since the ticket was registered, or comes within `limit`; else `nil`.
    func value(atMost limit: Duration) async -> Value? {
        await withCheckedContinuation { continuation in
            if case .resolved(let value) = state {
                state = .abandoned
                continuation.resume(returning: value)
                return
            }
            let timer = loop.schedule(after: limit) { self.pass() }
            state = .waiting(continuation, timer)
        }
    }

    /// Gives the place up.
    func cancel() { state = .abandoned }

    private func pass() {
        guard case .waiting(let continuation, _) = state else { return }
        state = .abandoned
        continuation.resume(returning: nil)
    }

    fileprivate func resolve(_ value: Value) {
        switch state {
        case .registered: state = .resolved(value)
        case .waiting(let continuation, let timer):
            loop.cancel(timer)
            state = .abandoned
            continuation.resume(returning: value)
        case .resolved, .abandoned: break
        }
    }
}

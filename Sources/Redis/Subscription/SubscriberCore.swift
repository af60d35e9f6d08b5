internal import Runtime

/// The part of a `RedisSubscriber` that lives on the loop.
final class SubscriberCore {
    struct Handlers {
        let onMessage: (_ channel: String, _ payload: [UInt8]) -> Void
        let onSubscribed: (_ isResubscription: Bool) -> Void
        let onLost: (RedisError) -> Void
    }

    let loop: EventLoop
    private let locator: any Locator
    private let identity: ConnectionCore.Identity
    private let options: RedisOptions
    private let resolver: Resolver
    private let isConnected: ConnectionFlag
    private var machine = SubscriberMachine()
    private var handlers: [UInt64: Handlers] = [:]
    private var backoff: Backoff
    private var wire: Wire?
    private var attempt: Attempt?
    private var pulse: EventLoop.Timer?
    private var retryTimer: EventLoop.Timer?
    private var readySince: UInt64 = 0
    private var state = RedisConnection.State.connecting
    private var observers: [(RedisConnection.State) -> Void] = []

    init(
        loop: EventLoop, locator: any Locator, identity: ConnectionCore.Identity,
        options: RedisOptions, flag: ConnectionFlag
    ) {
        self.loop = loop
        self.locator = locator
        self.identity = identity
        self.options = options
        isConnected = flag
        resolver = Resolver(loop: loop)
        backoff = Backoff(maximum: options.maxBackoff.wholeNanoseconds)
    }

    func observe(_ observer: @escaping (RedisConnection.State) -> Void) {
        observers.append(observer)
        observer(state)
    }

    func subscribe(_ channels: [String], _ handlers: Handlers) -> UInt64 {
        // The handlers are in their place before the first message can come.
        let (id, command) = machine.add(channels)
        self.handlers[id] = handlers
        if let command { wire?.append(command) }
        return id
    }

    func unsubscribe(_ id: UInt64) {
        handlers[id] = nil
        if let command = machine.remove(id) { wire?.append(command) }
    }

    func start() {
        guard state != .closed else { return }
        let identity = identity
        let attempt = Attempt(loop: loop, locator: locator, resolver: resolver) { location in
            Greeting(
                credentials: identity.credentials, name: identity.name, database: 0,
                mustBeMaster: location.mustBeMaster, scripts: RedisScripts([]))
        }
        self.attempt = attempt
        attempt.start(timeout: options.connectTimeout) { [self] result in
            self.attempt = nil
            switch result {
            case .success(let wire): connected(wire)
            case .failure(let error): pause(error)
            }
        }
    }

    func close() {
        guard state != .closed else { return }
        attempt?.cancel()
        attempt = nil
        if let retryTimer { loop.cancel(retryTimer) }
        let live = dropWire()
        change(to: .closed)
        observers = []
        let error = RedisError(.closed, "the subscriber was closed")
        for id in live { handlers[id]?.onLost(error) }
        handlers = [:]
    }

    private func connected(_ wire: Wire) {
        self.wire = wire
        readySince = EventLoop.monotonicNanoseconds()
        wire.onValue = { [self] value in received(value) }
        wire.onClosed = { [self] error in lost(error) }
        for command in machine.connected() { wire.append(command) }
        planPulse()
        change(to: .connected)
    }

    private func received(_ value: RedisValue) {
        switch machine.received(value) {
        case .nothing: break
        case .message(let listeners, let channel, let payload):
            for id in listeners { handlers[id]?.onMessage(channel, payload) }
        case .subscribed(let confirmations):
            for confirmation in confirmations {
                handlers[confirmation.id]?.onSubscribed(confirmation.isResubscription)
            }
        case .refused(let error): lost(error)
        }
    }

    private func lost(_ error: RedisError) {
        let lived = EventLoop.monotonicNanoseconds() - readySince
        let live = dropWire()
        // A server that takes the connection and hangs up at once is no success.
        if lived > Nanoseconds.perSecond { backoff.reset() }
        pause(error)
        for id in live { handlers[id]?.onLost(error) }
    }

    /// Answers with the subscriptions that were live.
    private func dropWire() -> [UInt64] {
        wire?.close()
        wire = nil
        if let pulse { loop.cancel(pulse) }
        return machine.lost()
    }

    private func pause(_ error: RedisError) {
        let pause = backoff.next(fraction: .random(in: 0..<1))
        retryTimer = loop.schedule(after: .nanoseconds(pause)) { [self] in start() }
        change(to: .disconnected(error))
    }

    /// A silent socket is given up after two pulses without a pong: 2 s, found within 3 s.
    private func planPulse() {
        pulse = loop.schedule(after: .nanoseconds(Nanoseconds.perSecond)) { [self] in
            guard let wire else { return }
            let silence = EventLoop.monotonicNanoseconds() - wire.lastActivity
            guard silence < 2 * Nanoseconds.perSecond - Nanoseconds.perSecond / 4 else {
                return lost(RedisError(.closed, "\(locator.name) fell silent"))
            }
            wire.append(["PING"])
            planPulse()
        }
    }

    private func change(to state: RedisConnection.State) {
        guard self.state != state else { return }
        self.state = state
        isConnected.set(state == .connected)
        for observer in observers { observer(state) }
    }
}

internal import Runtime
internal import Synchronization

/// The part of a `RedisConnection` that lives on the loop: carries out what `ConnectionMachine` says.
final class ConnectionCore {
    typealias Completion = (Result<RedisValue, RedisError>) -> Void

    /// What is said on each new connection.
    struct Identity {
        var credentials: RedisCredentials?
        var name: String?
        var database = 0
        var scripts = RedisScripts([])
    }

    let loop: EventLoop
    private let locator: any Locator
    private let identity: Identity
    private let options: RedisOptions
    private let resolver: Resolver
    private let isConnected: ConnectionFlag
    private var machine: ConnectionMachine<Completion>
    private var wire: Wire?
    private var attempt: Attempt?
    private var check: (timer: EventLoop.Timer, time: UInt64)?
    private var observers: [(RedisConnection.State) -> Void] = []
    private(set) var state = RedisConnection.State.connecting
    /// SCRIPT LOADs under way after a NOSCRIPT; those that follow need not load again.
    private var reloading = 0

    init(
        loop: EventLoop, locator: any Locator, identity: Identity, options: RedisOptions,
        flag: ConnectionFlag
    ) {
        self.loop = loop
        self.locator = locator
        self.identity = identity
        self.options = options
        isConnected = flag
        resolver = Resolver(loop: loop)
        machine = ConnectionMachine(
            limits: .init(
                maxCommands: options.maxCommands, maxQueuedBytes: options.maxQueuedBytes,
                connectGrace: options.connectGrace.wholeNanoseconds,
                overdueGrace: options.overdueGrace.wholeNanoseconds,
                maxBackoff: options.maxBackoff.wholeNanoseconds))
    }

    func start() { beginAttempt() }

    func close() {
        guard machine.phase != .closed else { return }
        let failures = machine.close(written: wire?.written ?? 0)
        attempt?.cancel()
        attempt = nil
        dropWire()
        if let check { loop.cancel(check.timer) }
        check = nil
        change(to: .closed)
        observers = []
        fail(failures)
    }

    /// Tells `observer` of the state now and of each change.
    func observe(_ observer: @escaping (RedisConnection.State) -> Void) {
        observers.append(observer)
        observer(state)
    }

    // MARK: commands

    /// Sends a command; `deadline` is a time of the loop's clock.
    ///
    /// - Returns: Its number for `cancel`; nil when it was refused, of which the completion is told
    ///   at the end of this turn.
    @discardableResult
    func submit(
        _ arguments: [RedisArgument], deadline: UInt64, _ completion: @escaping Completion
    ) -> UInt64? {
        switch machine.admit(arguments, unwritten: wire?.unwritten ?? 0) {
        case .refuse(let error):
            loop.atEndOfThisTurn { completion(.failure(error)) }
            return nil
        case .hold:
            let now = EventLoop.monotonicNanoseconds()
            let id = machine.hold(completion, arguments, deadline: deadline, now: now)
            planCheck()
            return id
        case .write:
            guard let wire else { preconditionFailure("ready without a wire") }
            let end = wire.append(arguments)
            ensureCheck(by: deadline)
            return machine.launch(completion, deadline: deadline, end: end)
        }
    }

    /// Tells `completion` when there is a connection, or why there is none at `deadline`.
    func waitUntilConnected(deadline: UInt64, _ completion: @escaping Completion) -> UInt64? {
        if machine.phase == .ready {
            completion(.success(.status("OK")))
            return nil
        }
        if machine.phase == .closed {
            completion(.failure(RedisError(.closed, "the Redis connection is closed")))
            return nil
        }
        let id = machine.wait(completion, deadline: deadline)
        planCheck()
        return id
    }

    /// Ends a command early.
    func cancel(_ id: UInt64) {
        guard let failure = machine.cancel(id) else { return }
        failure.token(.failure(failure.error))
    }

    /// Loads all scripts again, once for all commands that found them missing.
    func reloadScripts(deadline: UInt64) {
        guard reloading == 0 else { return }
        for script in identity.scripts.all {
            reloading += 1
            submit(["SCRIPT", "LOAD", .text(script.source)], deadline: deadline) { [self] result in
                reloading -= 1
                if case .success(let value) = result, let digest = value.bytes {
                    script.remember(digest: digest)
                }
            }
        }
    }

    private func fail(_ failures: [ConnectionMachine<Completion>.Failure]) {
        for failure in failures { failure.token(.failure(failure.error)) }
    }

    // MARK: the connection's life

    private func beginAttempt() {
        let identity = identity
        let attempt = Attempt(loop: loop, locator: locator, resolver: resolver) { location in
            Greeting(
                credentials: identity.credentials, name: identity.name,
                database: identity.database, mustBeMaster: location.mustBeMaster,
                scripts: identity.scripts)
        }
        self.attempt = attempt
        attempt.start(timeout: options.connectTimeout) { [self] result in
            self.attempt = nil
            switch result {
            case .success(let wire): connected(wire)
            case .failure(let error): attemptFailed(error)
            }
        }
    }

    private func connected(_ wire: Wire) {
        self.wire = wire
        wire.onValue = { [self] value in received(value) }
        wire.onClosed = { [self] error in lost(error) }
        var waiters: [Completion] = []
        for command in machine.connected(now: EventLoop.monotonicNanoseconds()) {
            if command.arguments.isEmpty {
                waiters.append(command.token)
            } else {
                machine.launch(command, end: wire.append(command.arguments))
            }
        }
        planCheck()
        change(to: .connected)
        for waiter in waiters { waiter(.success(.status("OK"))) }
    }

    private func attemptFailed(_ error: RedisError) {
        let (failures, pause) = machine.attemptFailed(
            error, now: EventLoop.monotonicNanoseconds(), fraction: .random(in: 0..<1))
        retry(after: pause)
        planCheck()
        change(to: .disconnected(error))
        fail(failures)
    }

    private func lost(_ error: RedisError) {
        let (failures, pause) = machine.lost(
            error, written: wire?.written ?? 0, now: EventLoop.monotonicNanoseconds(),
            fraction: .random(in: 0..<1))
        dropWire()
        retry(after: pause)
        change(to: .disconnected(error))
        fail(failures)
    }

    private func dropWire() {
        wire?.close()
        wire = nil
    }

    private func retry(after pause: UInt64) {
        loop.schedule(after: .nanoseconds(pause)) { [self] in
            if machine.retry() { beginAttempt() }
        }
    }

    private func received(_ value: RedisValue) {
        let receipt = machine.received()
        guard case .error(let text) = value else {
            switch receipt {
            case .deliver(let completion): completion(.success(value))
            case .drop: break
            case .unexpected:
                lost(RedisError(.protocolViolation, "Redis sent a reply that nobody asked for"))
            }
            return
        }
        let error = RedisError(reply: text)
        if case .deliver(let completion) = receipt { completion(.failure(error)) }
        if machine.phase == .ready, locator.isMisplaced(error) {
            lost(RedisError(.closed, "\(locator.name) has moved: \(text)"))
        }
    }

    private func change(to state: RedisConnection.State) {
        guard self.state != state else { return }
        self.state = state
        isConnected.set(state == .connected)
        for observer in observers { observer(state) }
    }

    // MARK: time

    /// One timer serves all deadlines: it runs at the earliest and then looks for the next.
    private func ensureCheck(by time: UInt64) {
        if let check {
            if check.time <= time { return }
            loop.cancel(check.timer)
        }
        let now = EventLoop.monotonicNanoseconds()
        let delay = Duration.nanoseconds(time > now ? time - now : 0)
        let timer = loop.schedule(after: delay) { [self] in
            check = nil
            expire()
        }
        check = (timer, time)
    }

    private func planCheck(notBefore earliest: UInt64 = 0) {
        guard machine.phase != .closed else { return }
        let lastActivity = wire?.lastActivity ?? 0
        guard let next = machine.nextExpiry(lastActivity: lastActivity) else { return }
        ensureCheck(by: max(next, earliest))
    }

    private func expire() {
        let now = EventLoop.monotonicNanoseconds()
        let expiry = machine.expire(now: now, lastActivity: wire?.lastActivity ?? 0)
        if expiry.isSilent {
            lost(RedisError(.closed, "\(locator.name) fell silent"))
        }
        fail(expiry.failures)
        // Each look goes through the queue: deadlines a moment apart share one.
        planCheck(notBefore: now + 2 * Nanoseconds.perMillisecond)
    }
}

/// Whether a connection is up, for any thread to ask.
final class ConnectionFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set(_ isSet: Bool) { value.store(isSet, ordering: .releasing) }
}

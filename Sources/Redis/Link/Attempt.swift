internal import Runtime

/// One try to get a connection that is logged in and ready: locate, resolve, connect, greet.
///
/// Ends exactly once, with a wire that has nothing under way or with the reason, unless it is
/// cancelled. Of several addresses of a name the next is tried when one cannot be connected to.
final class Attempt {
    typealias Completion = (Result<Wire, RedisError>) -> Void

    private let loop: EventLoop
    private let locator: any Locator
    private let resolver: Resolver
    private let makeGreeting: (Location) -> Greeting
    private var completion: Completion?
    private var timer: EventLoop.Timer?
    /// How long nothing may be heard.
    private var patience = Duration.zero
    /// When the greeting must be over, however many of its answers come.
    private var end = ContinuousClock.now
    private var wire: Wire?
    private var addresses: [SocketAddress] = []
    private var addressTimer: EventLoop.Timer?
    /// What one of several addresses may take, so that a dead one does not hide the others.
    private var share = Duration.zero

    init(
        loop: EventLoop, locator: any Locator, resolver: Resolver,
        greeting: @escaping (Location) -> Greeting
    ) {
        self.loop = loop
        self.locator = locator
        self.resolver = resolver
        makeGreeting = greeting
    }

    func start(timeout: Duration, _ completion: @escaping Completion) {
        self.completion = completion
        share = timeout
        patience = timeout
        end = .now + timeout * 10
        waitForMore()
        locator.locate { [self] result in
            guard self.completion != nil else { return }
            switch result {
            case .failure(let error): finish(.failure(error))
            case .success(let location): resolve(location)
            }
        }
    }

    /// A far server answers the greeting bit by bit: the scripts alone are several round trips of a
    /// connection that still learns how much the way bears. As long as it answers it is there.
    private func waitForMore() {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: min(patience, max(.zero, end - .now))) { [self] in
            finish(.failure(RedisError(.unreachable, "\(locator.name) does not answer")))
        }
    }

    /// Ends without a word.
    func cancel() {
        completion = nil
        if let timer { loop.cancel(timer) }
        if let addressTimer { loop.cancel(addressTimer) }
        locator.forget()
        resolver.forget()
        wire?.close()
        wire = nil
    }

    private func resolve(_ location: Location) {
        resolver.resolve(location.endpoint) { [self] result in
            guard completion != nil else { return }
            switch result {
            case .failure(let error): finish(.failure(error))
            case .success(let found):
                addresses = found
                share = share / max(1, found.count)
                connect(location, last: nil)
            }
        }
    }

    private func connect(_ location: Location, last: RedisError?) {
        guard !addresses.isEmpty else {
            let nothing = RedisError(.unreachable, "\(location.endpoint) has no address")
            return finish(.failure(last ?? nothing))
        }
        let address = addresses.removeFirst()
        let wire = Wire(loop: loop, name: location.endpoint.description)
        wire.onOpen = { [self, unowned wire] in greet(wire, location) }
        wire.onClosed = { [self] error in
            guard completion != nil else { return }
            connect(location, last: error)
        }
        self.wire = wire
        if let addressTimer { loop.cancel(addressTimer) }
        if let error = wire.connect(to: address) { return connect(location, last: error) }
        guard !addresses.isEmpty else { return }
        addressTimer = loop.schedule(after: share) { [self] in
            wire.close()
            connect(
                location, last: RedisError(.unreachable, "\(location.endpoint) does not answer"))
        }
    }

    private func greet(_ wire: Wire, _ location: Location) {
        var greeting = makeGreeting(location)
        // Whoever answered is the right one: a break from here on is no reason to try its sister.
        addresses = []
        if let addressTimer { loop.cancel(addressTimer) }
        wire.onValue = { [self] value in
            switch greeting.accept(value) {
            case .more: waitForMore()
            case .failed(let error): finish(.failure(error))
            case .done:
                greeting.rememberDigests()
                self.wire = nil
                wire.onOpen = {}
                finish(.success(wire))
            }
        }
        for command in greeting.commands { wire.append(command) }
    }

    private func finish(_ result: Result<Wire, RedisError>) {
        guard let completion else { return }
        cancel()
        completion(result)
    }
}

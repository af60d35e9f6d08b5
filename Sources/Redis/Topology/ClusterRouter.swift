internal import Runtime

/// The masters of a Redis Cluster: one connection to each, and the map that says whose a slot is.
///
/// The map comes from CLUSTER SLOTS of any node that answers. It is asked for again when a node sends
/// a request elsewhere, when one is away, and until all are there. A request follows MOVED and ASK,
/// and is repeated while a slot is on its way (TRYAGAIN) or without a master (CLUSTERDOWN) as long as
/// its deadline lets it. A command that may have run is never repeated.
final class ClusterRouter: Router {
    private static let maxRedirections = 8
    private static let retryPause = Duration.milliseconds(50)
    /// How long a node may take to answer CLUSTER SLOTS.
    private static let slotsDeadline = Duration.milliseconds(500)
    private static let refreshPause = Duration.milliseconds(250)
    /// How long a node that lost its slots is kept for what is under way on it.
    private static let retirement = Duration.seconds(2)

    private let loop: EventLoop
    private let seeds: [RedisEndpoint]
    private let identity: ConnectionCore.Identity
    private let options: RedisOptions
    private let isConnected: ConnectionFlag
    private var nodes: [RedisEndpoint: ClusterNode] = [:]
    private var map: SlotMap?
    private var waiting: [(RedisError?) -> Void] = []
    private var isRefreshing = false
    private var isRefreshPlanned = false
    private var isClosed = false
    private var state = RedisConnection.State.connecting
    private var observers: [(RedisConnection.State) -> Void] = []

    init(
        loop: EventLoop, seeds: [RedisEndpoint], identity: ConnectionCore.Identity,
        options: RedisOptions, flag: ConnectionFlag
    ) {
        self.loop = loop
        self.seeds = seeds
        self.identity = identity
        self.options = options
        isConnected = flag
    }

    func start() { refresh { _ in } }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        for node in nodes.values { node.core.close() }
        nodes = [:]
        change(to: .closed)
        observers = []
        finishRefresh(RedisError(.closed, "the Redis connection is closed"))
    }

    func observe(_ observer: @escaping (RedisConnection.State) -> Void) {
        observers.append(observer)
        observer(state)
    }

    func masters(
        deadline: UInt64, _ completion: @escaping (Result<[ConnectionCore], RedisError>) -> Void
    ) {
        guard let map else {
            return refresh { [self] error in
                guard let map = self.map else {
                    return completion(.failure(error ?? Self.unknown))
                }
                completion(.success(map.masters.map { node($0).core }))
            }
        }
        completion(.success(map.masters.map { node($0).core }))
    }

    /// Says where a slot is, or any node, after asking anew when `isFresh`.
    func locate(
        _ slot: Int?, isFresh: Bool,
        _ completion: @escaping (Result<RedisEndpoint, RedisError>) -> Void
    ) {
        if !isFresh, let endpoint = endpoint(slot) { return completion(.success(endpoint)) }
        refresh { [self] error in
            guard let endpoint = endpoint(slot) else {
                return completion(.failure(error ?? Self.unknown))
            }
            completion(.success(endpoint))
        }
    }

    // MARK: requests

    func perform<Reply>(_ request: Request<Reply>) {
        guard !isClosed else {
            return fail(request, RedisError(.closed, "the Redis connection is closed"))
        }
        guard map != nil else { return waitForMap(request) }
        let slot = request.routingKey.map { HashSlot.of($0) }
        guard let endpoint = endpoint(slot) else {
            let error = RedisError(
                .clusterDown, "no node of the Redis Cluster has slot \(slot ?? 0)")
            return retryLater(request, error)
        }
        send(request, to: endpoint, isAsking: false)
    }

    /// Never within the call: the caller is not ready for an answer yet.
    private func fail<Reply>(_ request: Request<Reply>, _ error: RedisError) {
        loop.atEndOfThisTurn { request.completion(.failure(error)) }
    }

    private func waitForMap<Reply>(_ request: Request<Reply>) {
        var isOver = false
        let now = EventLoop.monotonicNanoseconds()
        let left = request.deadline > now ? request.deadline - now : 0
        let timer = loop.schedule(after: .nanoseconds(left)) {
            isOver = true
            request.completion(
                .failure(RedisError(.unreachable, "no answer from the Redis Cluster in time")))
        }
        refresh { [self] error in
            guard !isOver else { return }
            loop.cancel(timer)
            if map == nil {
                request.completion(.failure(error ?? Self.unknown))
            } else {
                perform(request)
            }
        }
    }

    private func send<Reply>(
        _ request: Request<Reply>, to endpoint: RedisEndpoint, isAsking: Bool
    ) {
        request.run(node(endpoint).core, isAsking) { [self] result in
            guard case .failure(let error) = result, error.effect == .none, !isClosed,
                !request.operation.isCancelled
            else { return request.completion(result) }
            follow(request, error, from: endpoint)
        }
    }

    private func follow<Reply>(
        _ request: Request<Reply>, _ error: RedisError, from endpoint: RedisEndpoint
    ) {
        switch error.code {
        case .moved, .ask:
            guard let redirection = Redirection(error, asked: endpoint),
                request.redirections < Self.maxRedirections
            else { return request.completion(.failure(error)) }
            request.redirections += 1
            if error.code == .moved {
                map?.assign(redirection.slot, to: redirection.endpoint)
                planRefresh(after: .zero)
            }
            send(request, to: redirection.endpoint, isAsking: error.code == .ask)
        case .tryAgain, .clusterDown: retryLater(request, error)
        case .unreachable, .closed, .loading, .masterDown:
            // Its master may have been replaced; the others know, sooner or later.
            guard !request.isRepeated else { return request.completion(.failure(error)) }
            request.isRepeated = true
            refresh { [self] _ in
                let slot = request.routingKey.map { HashSlot.of($0) }
                guard let now = self.endpoint(slot), now != endpoint else {
                    return request.completion(.failure(error))
                }
                send(request, to: now, isAsking: false)
            }
        default: request.completion(.failure(error))
        }
    }

    private func retryLater<Reply>(_ request: Request<Reply>, _ error: RedisError) {
        let pause = Self.retryPause
        let now = EventLoop.monotonicNanoseconds()
        guard now + pause.wholeNanoseconds < request.deadline else { return fail(request, error) }
        planRefresh(after: .zero)
        loop.schedule(after: pause) { [self] in
            guard !request.operation.isCancelled else {
                let error = RedisError(.cancelled, "the command was cancelled")
                return request.completion(.failure(error))
            }
            perform(request)
        }
    }

    // MARK: nodes

    private static let unknown = RedisError(.unreachable, "no node of the Redis Cluster answers")

    private func endpoint(_ slot: Int?) -> RedisEndpoint? {
        guard let map else { return nil }
        if let slot { return map.master(of: slot) }
        return map.masters.first { nodes[$0]?.flag.isSet == true } ?? map.masters.first
    }

    private func node(_ endpoint: RedisEndpoint) -> ClusterNode {
        if let node = nodes[endpoint] { return node }
        let node = ClusterNode(
            loop: loop, endpoint: endpoint, identity: identity, options: options)
        nodes[endpoint] = node
        node.core.observe { [self] state in
            if case .disconnected = state { planRefresh(after: Self.refreshPause) }
            updateState()
        }
        node.core.start()
        return node
    }

    private func updateState() {
        guard !isClosed, let map else { return }
        var failure: RedisError?
        for master in map.masters where nodes[master]?.flag.isSet != true {
            if case .disconnected(let error)? = nodes[master]?.core.state { failure = error }
            if failure == nil { return }
        }
        change(to: failure.map { .disconnected($0) } ?? .connected)
    }

    private func change(to state: RedisConnection.State) {
        guard self.state != state else { return }
        self.state = state
        isConnected.set(state == .connected)
        for observer in observers { observer(state) }
    }

    // MARK: the map

    private func planRefresh(after pause: Duration) {
        guard !isRefreshPlanned, !isRefreshing, !isClosed else { return }
        isRefreshPlanned = true
        loop.schedule(after: pause) { [self] in
            isRefreshPlanned = false
            refresh { _ in }
        }
    }

    /// Asks the nodes for the map, one after the other; who asks meanwhile shares the answer.
    private func refresh(_ completion: @escaping (RedisError?) -> Void) {
        if isClosed { return completion(RedisError(.closed, "the Redis connection is closed")) }
        waiting.append(completion)
        guard !isRefreshing else { return }
        isRefreshing = true
        // Those that are up first; a node that is away fails at once and costs nothing.
        let known = (map?.masters ?? []) + seeds
        let up = known.filter { nodes[$0]?.flag.isSet == true }
        var candidates: [RedisEndpoint] = []
        for endpoint in up + known where !candidates.contains(endpoint) {
            candidates.append(endpoint)
        }
        ask(candidates[...], last: nil)
    }

    private func ask(_ candidates: ArraySlice<RedisEndpoint>, last: RedisError?) {
        guard let endpoint = candidates.first else { return finishRefresh(last ?? Self.unknown) }
        let deadline = RedisConnection.time(after: Self.slotsDeadline)
        node(endpoint).core.submit(["CLUSTER", "SLOTS"], deadline: deadline) { [self] result in
            guard !isClosed else { return }
            switch result {
            case .success(let reply):
                guard let map = SlotMap(reply, asked: endpoint) else {
                    let error = RedisError(.clusterDown, "\(endpoint) knows no slots")
                    return ask(candidates.dropFirst(), last: error)
                }
                adopt(map)
                finishRefresh(nil)
            case .failure(let error): ask(candidates.dropFirst(), last: error)
            }
        }
    }

    private func finishRefresh(_ error: RedisError?) {
        isRefreshing = false
        let waiting = waiting
        self.waiting = []
        if let error, map == nil { change(to: isClosed ? .closed : .disconnected(error)) }
        for completion in waiting { completion(error) }
        let isWhole = map?.masters.allSatisfy { nodes[$0]?.flag.isSet == true } ?? false
        if !isWhole { planRefresh(after: Self.refreshPause) }
    }

    private func adopt(_ map: SlotMap) {
        self.map = map
        for master in map.masters { _ = node(master) }
        let old = nodes.keys.filter { !map.masters.contains($0) }
        if !old.isEmpty {
            loop.schedule(after: Self.retirement) { [self] in
                for endpoint in old where self.map?.masters.contains(endpoint) == false {
                    nodes.removeValue(forKey: endpoint)?.core.close()
                }
            }
        }
        updateState()
    }
}

/// The connection to one node.
final class ClusterNode {
    let core: ConnectionCore
    let flag = ConnectionFlag()

    init(
        loop: EventLoop, endpoint: RedisEndpoint, identity: ConnectionCore.Identity,
        options: RedisOptions
    ) {
        core = ConnectionCore(
            loop: loop, locator: FixedLocator(endpoint), identity: identity, options: options,
            flag: flag)
    }
}

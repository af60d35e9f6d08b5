package import Runtime
internal import Synchronization

/// Redis as the rest of the program sees it: one server, a master with sentinels, or a Cluster.
///
/// It belongs to one event loop and picks the connection by the key of a request; with one server
/// that is always the same one. All is well again by itself after any outage.
package final class RedisClient: Sendable {
    package typealias Completion = RedisConnection.Completion

    package let loop: EventLoop
    private let url: RedisURL
    private let name: String?
    private let scripts: RedisScripts
    private let options: RedisOptions
    private let routers: Routers
    private let flag: ConnectionFlag
    /// Connections for `evaluateThenWait`, made when they are first needed.
    private let waiters = Mutex<Routers?>(nil)

    /// - Parameters:
    ///   - name: Shown by CLIENT LIST.
    ///   - scripts: Loaded on each new connection.
    package init(
        loop: EventLoop, url: RedisURL, name: String? = nil,
        scripts: RedisScripts = RedisScripts([]), options: RedisOptions = RedisOptions()
    ) {
        self.loop = loop
        self.url = url
        self.name = name
        self.scripts = scripts
        self.options = options
        flag = ConnectionFlag()
        routers = Routers(
            loop: loop, url: url, name: name, scripts: scripts, options: options, flag: flag)
    }

    deinit { close() }

    /// Whether every master is connected. From any thread.
    package var isConnected: Bool { flag.isSet }

    /// Who it is to Redis.
    package var user: String { url.credentials?.user ?? "default" }

    /// Tells `observer`, on the loop, the state now and each change.
    package func onState(_ observer: @escaping @Sendable (RedisConnection.State) -> Void) {
        routers.main.perform { $0.observe(observer) }
    }

    /// Closes all connections; what is under way fails as closed. From any thread.
    package func close() {
        routers.main.perform { $0.close() }
        waiters.withLock { $0?.main.perform { $0.close() } }
    }

    // MARK: commands

    /// Sends a command to the node of `routingKey`, to any when it is nil; else as
    /// `RedisConnection.send`.
    package func send(
        _ arguments: [RedisArgument], routingKey: String? = nil, deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await routers.main.awaitReply { router, operation, completion in
            router.perform(
                Self.command(arguments, routingKey, deadline, operation, completion))
        }
    }

    /// Sends a command; `completion` is told, on the loop and never before this returns. Only on the
    /// loop's thread.
    package func call(
        _ arguments: [RedisArgument], routingKey: String? = nil, deadline: Duration,
        _ completion: @escaping Completion
    ) {
        routers.main.value.perform(
            Self.command(arguments, routingKey, deadline, Operation(), completion))
    }

    /// Runs a script on the node of its first key; else as `RedisConnection.evaluate`.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await routers.main.awaitReply { router, operation, completion in
            router.perform(
                Self.evaluation(script, keys, arguments, nil, deadline, operation) { result in
                    completion(result.map(\.0))
                })
        }
    }

    /// Runs a script; `completion` is told, on the loop and never before this returns. Only on the
    /// loop's thread.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration,
        _ completion: @escaping Completion
    ) {
        routers.main.value.perform(
            Self.evaluation(script, keys, arguments, nil, deadline, Operation()) { result in
                completion(result.map(\.0))
            })
    }

    /// Runs a script, then WAIT on the same connection, which is not the one of other commands, since
    /// those would wait too; else as `RedisConnection.evaluateThenWait`.
    package func evaluateThenWait(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], replicas: Int,
        timeout: Duration, deadline: Duration
    ) async throws(RedisError) -> (RedisValue, Int) {
        let wait = Evaluation.Wait(replicas: replicas, timeout: timeout)
        return try await waiting().main.awaitReply { router, operation, completion in
            router.perform(
                Self.evaluation(
                    script, keys, arguments, wait, deadline, operation, completion))
        }
    }

    /// Asks each master about itself.
    package func serverFacts(
        deadline: Duration
    ) async throws(RedisError) -> [RedisServerFacts] {
        let time = RedisConnection.time(after: deadline)
        return try await routers.main.awaitReply { router, _, completion in
            router.masters(deadline: time) { result in
                switch result {
                case .failure(let error): completion(.failure(error))
                case .success(let cores):
                    var answers: [Result<RedisServerFacts, RedisError>] = []
                    for core in cores {
                        core.serverFacts(deadline: time) { answer in
                            answers.append(answer)
                            guard answers.count == cores.count else { return }
                            completion(
                                Result { () throws(RedisError) in
                                    try answers.map { answer throws(RedisError) in try answer.get()
                                    }
                                })
                        }
                    }
                }
            }
        }
    }

    // MARK: connections of their own

    /// A subscriber at the node of `channelKey`, or anywhere: messages reach all nodes of a Cluster.
    package func subscriber(
        forChannelKey channelKey: String? = nil, name: String? = nil
    ) -> RedisSubscriber {
        RedisSubscriber(
            loop: loop, locator: routers.locator(for: channelKey),
            identity: .init(credentials: url.credentials, name: name ?? self.name),
            options: options)
    }

    /// A connection for blocking commands on `key`, which follows the key's slot in a Cluster. Pass
    /// a deadline longer than the block; a reply that is later ends the socket.
    package func dedicatedConnection(
        forKey key: String? = nil, name: String? = nil, options: RedisOptions = .blocking
    ) -> RedisConnection {
        RedisConnection(
            loop: loop, locator: routers.locator(for: key),
            identity: .init(
                credentials: url.credentials, name: name ?? self.name, database: url.database,
                scripts: scripts),
            options: options)
    }

    private func waiting() -> Routers {
        waiters.withLock { waiters in
            if let waiters { return waiters }
            let made = Routers(
                loop: loop, url: url, name: name.map { "\($0)-wait" }, scripts: scripts,
                options: options, flag: ConnectionFlag())
            waiters = made
            return made
        }
    }

    private static func command(
        _ arguments: [RedisArgument], _ routingKey: String?, _ deadline: Duration,
        _ operation: Operation, _ completion: @escaping Completion
    ) -> Request<RedisValue> {
        let time = RedisConnection.time(after: deadline)
        return Request(
            routingKey: routingKey, deadline: time, operation: operation,
            run: { core, isAsking, completion in
                if isAsking { Evaluation.ask(core, deadline: time) }
                operation.isNow(
                    core.submit(arguments, deadline: time, completion), on: core)
            }, completion: completion)
    }

    private static func evaluation(
        _ script: RedisScript, _ keys: [String], _ arguments: [RedisArgument],
        _ wait: Evaluation.Wait?, _ deadline: Duration, _ operation: Operation,
        _ completion: @escaping Evaluation.Completion
    ) -> Request<(RedisValue, Int)> {
        let time = RedisConnection.time(after: deadline)
        return Request(
            routingKey: keys.first, deadline: time, operation: operation,
            run: { core, isAsking, completion in
                Evaluation(
                    script, keys: keys, arguments: arguments, wait: wait, deadline: time,
                    operation: operation, isAsking: isAsking, completion: completion
                ).run(on: core)
            }, completion: completion)
    }
}

/// The router of a topology, and how connections beside it are placed.
private struct Routers: Sendable {
    let main: LoopBound<any Router>
    private let url: RedisURL

    init(
        loop: EventLoop, url: RedisURL, name: String?, scripts: RedisScripts,
        options: RedisOptions, flag: ConnectionFlag
    ) {
        self.url = url
        let identity = ConnectionCore.Identity(
            credentials: url.credentials, name: name, database: url.database, scripts: scripts)
        if case .cluster(let seeds) = url.topology {
            main = LoopBound(
                ClusterRouter(
                    loop: loop, seeds: seeds, identity: identity, options: options, flag: flag),
                on: loop)
        } else {
            main = LoopBound(
                SingleRouter(
                    ConnectionCore(
                        loop: loop, locator: url.locator(on: loop), identity: identity,
                        options: options, flag: flag)),
                on: loop)
        }
        main.perform { $0.start() }
    }

    func locator(for key: String?) -> sending any Locator {
        guard case .cluster = url.topology else { return url.locator(on: main.loop) }
        return ClusterLocator(router: main, slot: key.map { HashSlot.of($0) })
    }
}

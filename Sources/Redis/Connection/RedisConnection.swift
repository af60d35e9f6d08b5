package import Runtime

/// A connection to Redis that belongs to one event loop and lives until `close`.
///
/// It connects at once and comes back by itself, for ever, with growing pauses. Commands may be sent
/// from any task; those of one turn of the loop leave in one write, and replies come in order. While
/// there is no connection, a command waits for one within its deadline, unless the last attempt to
/// connect has failed: then it fails at once.
///
/// The loop must run as long as the connection is used, and until after `close`.
package final class RedisConnection: Sendable {
    package typealias Completion = (Result<RedisValue, RedisError>) -> Void

    package enum State: Hashable, Sendable {
        /// The first attempt is under way.
        case connecting
        case connected
        /// Broken, or not to be had; attempts go on.
        case disconnected(RedisError)
        case closed
    }

    package let loop: EventLoop
    let core: LoopBound<ConnectionCore>
    private let flag: ConnectionFlag

    /// Connects to the server or, by its sentinels, to the master that `url` names.
    ///
    /// - Parameters:
    ///   - name: Shown by CLIENT LIST.
    ///   - scripts: Loaded on each new connection.
    package convenience init(
        loop: EventLoop, url: RedisURL, name: String? = nil,
        scripts: RedisScripts = RedisScripts([]), options: RedisOptions = RedisOptions()
    ) {
        self.init(
            loop: loop, locator: url.locator(on: loop),
            identity: .init(
                credentials: url.credentials, name: name, database: url.database,
                scripts: scripts),
            options: options)
    }

    init(
        loop: EventLoop, locator: sending any Locator, identity: ConnectionCore.Identity,
        options: RedisOptions
    ) {
        self.loop = loop
        let flag = ConnectionFlag()
        self.flag = flag
        core = LoopBound(
            ConnectionCore(
                loop: loop, locator: locator, identity: identity, options: options, flag: flag),
            on: loop)
        core.perform { $0.start() }
    }

    deinit { close() }

    /// Whether a command sent now would be written at once. From any thread.
    package var isConnected: Bool { flag.isSet }

    /// Tells `observer`, on the loop, the state now and each change.
    package func onState(_ observer: @escaping @Sendable (State) -> Void) {
        core.perform { $0.observe(observer) }
    }

    /// Closes the socket; commands under way fail as closed. From any thread.
    package func close() { core.perform { $0.close() } }

    /// Sends a command and waits for its reply.
    ///
    /// - Parameters:
    ///   - arguments: The command's name and its arguments.
    ///   - deadline: How long to wait, for a connection too. Longer than a blocking command blocks.
    /// - Throws: An error reply of the server, or why there is none. With effect `.unknown` the
    ///   command may have run, or may run yet. A cancelled task gets `.cancelled` at once.
    package func send(
        _ arguments: [RedisArgument], deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await core.awaitReply { core, operation, completion in
            let id = core.submit(arguments, deadline: Self.time(after: deadline), completion)
            operation.isNow(id, on: core)
        }
    }

    /// Sends a command; `completion` is told, on the loop and never before this returns. Only on the
    /// loop's thread.
    package func call(
        _ arguments: [RedisArgument], deadline: Duration, _ completion: @escaping Completion
    ) {
        core.value.submit(arguments, deadline: Self.time(after: deadline), completion)
    }

    /// Waits for the connection, whatever attempts fail in the meantime.
    ///
    /// - Throws: The reason why the last attempt failed, when there is no connection in time.
    package func waitUntilConnected(deadline: Duration) async throws(RedisError) {
        _ = try await core.awaitReply { core, operation, completion in
            let id = core.waitUntilConnected(
                deadline: Self.time(after: deadline), completion)
            operation.isNow(id, on: core)
        }
    }

    /// Asks the server about itself; what the user may not ask stays nil.
    package func serverFacts(deadline: Duration) async throws(RedisError) -> RedisServerFacts {
        let time = Self.time(after: deadline)
        return try await core.awaitReply { core, _, completion in
            core.serverFacts(deadline: time, completion)
        }
    }

    static func time(after delay: Duration) -> UInt64 {
        EventLoop.monotonicNanoseconds() + delay.wholeNanoseconds
    }
}

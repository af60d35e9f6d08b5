/// Picks the connection for a request. Lives on the loop.
protocol Router: AnyObject {
    func start()
    func perform<Reply>(_ request: Request<Reply>)
    func observe(_ observer: @escaping (RedisConnection.State) -> Void)
    /// One connection to each master.
    func masters(
        deadline: UInt64, _ completion: @escaping (Result<[ConnectionCore], RedisError>) -> Void)
    func close()
}

/// A command or a script, not yet bound to a connection.
final class Request<Reply> {
    typealias Completion = (Result<Reply, RedisError>) -> Void
    typealias Run = (_ core: ConnectionCore, _ isAsking: Bool, _ completion: @escaping Completion)
        -> Void

    /// The key that says where it belongs; nil: anywhere.
    let routingKey: String?
    /// A time of the loop's clock.
    let deadline: UInt64
    let operation: Operation
    let run: Run
    let completion: Completion
    /// How often it was sent elsewhere.
    var redirections = 0
    /// Whether it was repeated once because a node was away.
    var isRepeated = false

    init(
        routingKey: String?, deadline: UInt64, operation: Operation, run: @escaping Run,
        completion: @escaping Completion
    ) {
        self.routingKey = routingKey
        self.deadline = deadline
        self.operation = operation
        self.run = run
        self.completion = completion
    }
}

/// One server, or the master of a group with sentinels: one connection for everything.
final class SingleRouter: Router {
    private let core: ConnectionCore

    init(_ core: ConnectionCore) { self.core = core }

    func start() { core.start() }
    func perform<Reply>(_ request: Request<Reply>) {
        request.run(core, false, request.completion)
    }
    func observe(_ observer: @escaping (RedisConnection.State) -> Void) { core.observe(observer) }
    func masters(
        deadline: UInt64, _ completion: @escaping (Result<[ConnectionCore], RedisError>) -> Void
    ) {
        completion(.success([core]))
    }
    func close() { core.close() }
}

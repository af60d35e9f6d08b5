package import Runtime

/// An HTTP/1.1 server on one loop.
///
///     let server = HTTPServer(configuration, loop: thread.loop) { MyHandler() }
///     let port = try await server.start()
///     try await ServiceGroup([server]).run()
package final class HTTPServer: Service {
    /// Where and how to listen.
    package struct Configuration: Sendable {
        /// An address, or a name with one or more. Default: `127.0.0.1`.
        package var host = "127.0.0.1"
        /// 0: any free one, see `start`. Default: 8080.
        package var port = 8080
        /// Lets other processes listen on the same port. Default: true.
        package var sharesPort = true
        /// Connections the kernel keeps for us. Default: 1024.
        package var backlog = 1024
        /// PEM of the certificate chain and the key; `nil`: plain HTTP.
        package var tls: TLS?
        package var limits = HTTPLimits()
        /// How long a graceful shutdown waits for running requests. Default: 10 s.
        package var shutdownTimeout: Duration = .seconds(10)
        /// Where the server counts.
        package var metrics = Metrics.shared

        package init() {}
    }

    /// A certificate and its key, both PEM.
    package struct TLS: Sendable, Hashable {
        package var certificateChain: String
        package var privateKey: String

        package init(certificateChain: String, privateKey: String) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }

    package let configuration: Configuration
    package let loop: EventLoop
    private let core: LoopBound<Start>
    private let tasks: RequestTasks

    /// What is made on the loop.
    private final class Start {
        let makeHandler: @Sendable () -> any HTTPHandler
        let problem: @Sendable (HTTPProblem) -> HTTPResponse
        var core: ServerCore?
        var port = 0

        init(
            _ makeHandler: @escaping @Sendable () -> any HTTPHandler,
            _ problem: @escaping @Sendable (HTTPProblem) -> HTTPResponse
        ) {
            self.makeHandler = makeHandler
            self.problem = problem
        }
    }

    /// Makes a server that listens from `start`. The loop must be running by then.
    ///
    /// - Parameters:
    ///   - handler: Called once, on the loop's thread, where the handler stays.
    ///   - problem: Renders the server's own errors. Default: `HTTPProblem.response`.
    package init(
        _ configuration: Configuration, loop: EventLoop,
        handler: @escaping @Sendable () -> any HTTPHandler,
        problem: @escaping @Sendable (HTTPProblem) -> HTTPResponse = { $0.response }
    ) {
        self.configuration = configuration
        self.loop = loop
        core = LoopBound(Start(handler, problem), loop: loop)
        tasks = RequestTasks(loop: loop)
    }

    /// Listens; connections wait until `run`. Returns the bound port.
    ///
    /// - Throws: `HTTPServerError`.
    @discardableResult
    package func start() async throws(HTTPServerError) -> Int {
        try await loop.perform { () async throws(HTTPServerError) in
            try await self.startOnLoop()
        }
    }

    private func startOnLoop() async throws(HTTPServerError) -> Int {
        let start = core.value
        if start.core != nil { return start.port }
        let made = ServerCore(
            configuration, loop: loop, handler: start.makeHandler(), problem: start.problem)
        made.streams.metrics = made.metrics
        start.port = try made.start(configuration)
        made.startTask = { [tasks] in tasks.start($0, $1) }
        start.core = made
        return start.port
    }

    /// Shows another certificate to connections that come from now on; those that are open stay.
    /// Nothing happens when the server does not run, or without TLS.
    ///
    /// - Throws: When certificate or key is not usable; then the old ones stay.
    package func replaceCertificate(_ tls: TLS) async throws(HTTPServerError) {
        try await loop.perform { () async throws(HTTPServerError) in
            try self.core.value.core?.replaceCertificate(tls)
        }
    }

    /// Serves until shut down (and listens first, when `start` was not called).
    ///
    /// A graceful shutdown ends event streams, lets running requests finish for `shutdownTimeout`, and
    /// answers what still waits then with 503. Cancellation does the last at once.
    package func run() async throws {
        _ = try await start()
        await loop.perform { await self.serve() }
    }

    private func serve() async {
        let ending = Gate()
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask(executorPreference: loop) { await self.tasks.run() }
                    group.addTask(executorPreference: loop) {
                        await ending.wait()
                        await self.shutDown()
                        self.tasks.finish()
                    }
                }
            } onGracefulShutdown: {
                ending.open()
            }
        } onCancel: {
            ending.open()
        }
    }

    /// From the first word of the end to the last connection.
    private func shutDown() async {
        guard let core = core.value.core else { return }
        core.beginShutdown()
        let drained = Gate()
        core.whenDrained { drained.open() }
        loop.schedule(after: configuration.shutdownTimeout) { drained.open() }
        await withTaskCancellationHandler {
            await drained.wait()
        } onCancel: {
            drained.open()
        }
        core.stopNow()
    }
}

/// Why a server cannot listen.
package struct HTTPServerError: Error, Sendable, CustomStringConvertible {
    package var description: String
}

package import Coordination
internal import FoundationEssentials
package import FreshetModel
internal import HTTPServer
package import Runtime

/// One API process: an HTTP server on one loop, with its copies of payloads and its feed of events.
///
/// Everything but the coding of large payloads runs on the loop's thread, so nothing needs a lock.
package final class APIService: Service {
    /// Bodies of `POST /v1/refresh`: 10,000 keys of the longest kind.
    private static let bodyBytes = 12 << 20

    private let loop: EventLoop
    private let errands: Errands<APICore>
    private let core: LoopBound<APICore>
    private let server: HTTPServer

    /// An API that serves `settings` from `store`.
    ///
    /// - Parameters:
    ///   - loop: Its thread serves; it must run before `start`, and until `run` has returned.
    ///   - version: Of Freshet, for the API's own description.
    ///   - metrics: What it measures is added to these.
    ///   - durability: How durable a queued job is, as the store knows it now.
    /// - Throws: `APIError` when `settings.api.listen` is no address, or a TLS file cannot be read.
    package init(
        settings: Settings, store: any RefreshStore, loop: EventLoop, version: String,
        metrics: Metrics = .shared, durability: @escaping @Sendable () -> Durability
    ) throws(APIError) {
        guard case .tcp(let host, let port)? = Endpoint(hostAndPort: settings.api.listen) else {
            throw APIError(description: "`\(settings.api.listen)` is no HOST:PORT")
        }
        var configuration = HTTPServer.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.metrics = metrics
        configuration.limits.bodyBytes = Self.bodyBytes
        if let files = settings.api.tls { configuration.tls = try Self.certificate(files) }
        let errands = Errands<APICore>()
        let core = LoopBound(
            APICore(
                settings: settings, store: store, loop: loop, errands: errands, metrics: metrics,
                version: version, durability: durability),
            loop: loop)
        self.loop = loop
        self.errands = errands
        self.core = core
        server = HTTPServer(
            configuration, loop: loop, handler: { APIHandler(core.value) },
            problem: { problem in
                var shown = Problem(problem.status, problem.code, problem.detail)
                shown.title = problem.title
                return shown.response(requestID: problem.requestID)
            })
    }

    private static func certificate(_ files: TLSFiles) throws(APIError) -> HTTPServer.TLS {
        do {
            return HTTPServer.TLS(
                certificateChain: try String(contentsOfFile: files.certificate, encoding: .utf8),
                privateKey: try String(contentsOfFile: files.key, encoding: .utf8))
        } catch {
            throw APIError(description: "cannot read the certificate or its key: \(error)")
        }
    }

    /// Listens; connections wait until `run`.
    ///
    /// - Returns: The port, which `listen` may have left open.
    /// - Throws: `HTTPServerError` when the address cannot be listened on.
    @discardableResult
    package func start() async throws -> Int { try await server.start() }

    /// Serves until shut down: then streams end, requests are finished, and the last counts are told
    /// to the store.
    package func run() async throws {
        let core = core
        let loop = loop
        let errands = errands
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: loop) { await errands.run(core) }
            group.addTask(executorPreference: loop) { await core.value.follower.run() }
            group.addTask(executorPreference: loop) { await core.value.runTicks() }
            // The others have no end of their own: the server's is that of all.
            defer {
                errands.finish()
                group.cancelAll()
            }
            try await withGracefulShutdownHandler {
                try await server.run()
            } onGracefulShutdown: {
                core.perform { $0.endStreams() }
            }
            await withTaskGroup { last in
                last.addTask(executorPreference: loop) { await core.value.tellReads() }
            }
        }
    }
}

/// Why an API cannot be made.
package struct APIError: Error, CustomStringConvertible {
    package var description: String
}

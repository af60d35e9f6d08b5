package import Coordination
internal import FoundationEssentials
package import FreshetModel
internal import HTTPServer
package import Runtime
internal import Synchronization

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
    private let shownCertificate: Mutex<HTTPServer.TLS?>

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
        configuration.limits = Self.limits(settings.api)
        if let files = settings.api.tls { configuration.tls = try Self.certificate(files) }
        shownCertificate = Mutex(configuration.tls)
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

    private static func limits(_ api: APISettings) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connections = api.limits.connections
        limits.connectionsPerAddress = api.limits.connectionsPerAddress(of: api)
        limits.streams = api.limits.streams
        limits.headerBytes = api.limits.headerBytes
        limits.targetBytes = min(limits.targetBytes, limits.headerBytes)
        limits.bodyBytes = bodyBytes
        limits.headerTimeout = api.limits.headerTimeout
        limits.bodyTimeout = api.limits.bodyTimeout
        limits.writeTimeout = api.limits.writeTimeout
        limits.idleTimeout = api.limits.idleTimeout
        return limits
    }

    private static func certificate(_ files: TLSFiles) throws(APIError) -> HTTPServer.TLS {
        do {
            return HTTPServer.TLS(
                certificateChain: try String(contentsOfFile: files.certificate, encoding: .utf8),
                privateKey: try String(contentsOfFile: files.key, encoding: .utf8))
        } catch {
            throw APIError(
                description: "cannot read `\(files.certificate)` or `\(files.key)`: \(error)")
        }
    }

    /// Listens; connections wait until `run`.
    ///
    /// - Returns: The port, which `listen` may have left open.
    /// - Throws: `HTTPServerError` when the address cannot be listened on.
    @discardableResult
    package func start() async throws -> Int { try await server.start() }

    /// Takes over the keys, the rate limit, `open_metrics` and the certificate of `settings`, all or
    /// nothing. No connection is closed; event streams of keys that are gone, or may do less, end.
    ///
    /// - Throws: When the certificate or its key cannot be read or used.
    package func reload(_ settings: Settings) async throws(APIError) {
        if let files = settings.api.tls, let shown = shownCertificate.withLock({ $0 }) {
            let new = try Self.certificate(files)
            if new != shown {
                do throws(HTTPServerError) {
                    try await server.replaceCertificate(new)
                } catch {
                    throw APIError(
                        description: "`\(files.certificate)`, `\(files.key)`: \(error)")
                }
                shownCertificate.withLock { $0 = new }
            }
        }
        await loop.perform { self.core.value.reload(settings.api) }
    }

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

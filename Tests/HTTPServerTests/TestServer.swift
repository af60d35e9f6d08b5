import HTTPServer
import Runtime
import Synchronization

/// A handler that is a closure.
final class ClosureHandler: HTTPHandler {
    private let body: (HTTPRequest) -> HTTPReply

    init(_ body: @escaping (HTTPRequest) -> HTTPReply) { self.body = body }

    func handle(_ request: HTTPRequest) -> HTTPReply { body(request) }
}

/// A server for the time of one test.
struct TestServer: Sendable {
    let port: Int
    let loop: EventLoop
    let trigger: ShutdownTrigger
    let metrics: Metrics
    let server: HTTPServer

    /// Runs a server around `body`, shuts it down and waits for its end.
    ///
    /// - Parameter handler: Called once, on the loop.
    static func run(
        _ configure: (inout HTTPServer.Configuration) -> Void = { _ in },
        handler: @escaping @Sendable (EventLoop) -> (HTTPRequest) -> HTTPReply,
        body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let thread = EventLoopThread.start("test-server")
        defer { thread.stop() }
        var configuration = HTTPServer.Configuration()
        configuration.port = 0
        configuration.metrics = Metrics()
        configuration.shutdownTimeout = .seconds(5)
        configure(&configuration)
        let loop = thread.loop
        let server = HTTPServer(
            configuration, loop: loop, handler: { ClosureHandler(handler(loop)) })
        let port = try await server.start()
        let trigger = ShutdownTrigger()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await ShutdownTrigger.$current.withValue(trigger) { try await server.run() }
            }
            let test = TestServer(
                port: port, loop: loop, trigger: trigger, metrics: configuration.metrics,
                server: server)
            do {
                try await body(test)
            } catch {
                trigger.trigger()
                try await group.waitForAll()
                throw error
            }
            trigger.trigger()
            try await group.waitForAll()
        }
    }

    /// Runs `body` on the loop.
    func onLoop<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }
}

/// Runs blocking code on a thread of its own: the tests' pool has few, and servers need them.
func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    let thread = EventLoopThread.start("test-client")
    defer { thread.stop() }
    return try await withCheckedThrowingContinuation { continuation in
        thread.loop.execute { continuation.resume(with: Result { try body() }) }
    }
}

/// Reads a metric's sample from the text for Prometheus.
extension Metrics {
    func sample(_ name: String) -> Double? {
        for line in render().split(separator: "\n") where line.hasPrefix(name + " ") {
            return Double(line.dropFirst(name.utf8.count + 1))
        }
        return nil
    }
}

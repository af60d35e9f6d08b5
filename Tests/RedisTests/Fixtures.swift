import Redis
import Runtime
import Synchronization
import TestSupport
import Testing

/// Runs `body` with an event loop on a thread of its own.
func withLoop<Result>(
    _ body: (EventLoop) async throws -> Result
) async throws -> Result {
    let loop = EventLoop(name: "test")
    let hasEnded = Flag()
    BackgroundThread.start {
        loop.run()
        hasEnded.set()
    }
    do {
        let result = try await body(loop)
        try await stop(loop, hasEnded)
        return result
    } catch {
        try await stop(loop, hasEnded)
        throw error
    }
}

private func stop(_ loop: EventLoop, _ hasEnded: Flag) async throws {
    loop.stop()
    try await eventually("the loop ends") { hasEnded.isSet }
}

/// Runs `body` with a connection to the suite's server, or to `url`.
func withConnection<Result>(
    to url: String? = nil, name: String? = nil, scripts: RedisScripts = RedisScripts([]),
    options: RedisOptions = RedisOptions(),
    _ body: (RedisConnection) async throws -> Result
) async throws -> Result {
    let text = try url ?? #require(PrivateRedis.current).url
    let parsed = try RedisURL(parsing: text)
    return try await withLoop { loop in
        let connection = RedisConnection(
            loop: loop, url: parsed, name: name, scripts: scripts, options: options)
        defer { connection.close() }
        return try await body(connection)
    }
}

/// The error that `body` throws, of a type that is known.
func redisError(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> RedisError? {
    do {
        try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
        return nil
    } catch let error as RedisError {
        return error
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}

/// Set once, asked from anywhere.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// What callbacks brought, in order.
final class Log<Entry: Sendable>: Sendable {
    private let stored = Mutex<[Entry]>([])
    var entries: [Entry] { stored.withLock { $0 } }
    func append(_ entry: Entry) { stored.withLock { $0.append(entry) } }
}

let second = Duration.seconds(1)

package import Runtime

/// The way to Redis for everything but subscriptions: one connection to the server, or to the master
/// that the sentinels name.
package final class RedisClient: Sendable {
    private let connection: RedisConnection
    private let loop: EventLoop
    private let url: RedisURL
    private let name: String

    /// Connects at once, and again for ever.
    ///
    /// - Parameters:
    ///   - name: Shown by CLIENT LIST.
    ///   - scripts: Loaded on each new connection.
    package init(
        loop: EventLoop, url: RedisURL, name: String, scripts: RedisScripts,
        options: RedisOptions = RedisOptions()
    ) {
        self.loop = loop
        self.url = url
        self.name = name
        connection = RedisConnection(
            loop: loop, url: url, name: name, scripts: scripts, options: options)
    }

    /// Runs a script; all `keys` lie in one hash slot. See `RedisConnection.evaluate`.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await connection.evaluate(
            script, keys: keys, arguments: arguments, deadline: deadline)
    }

    /// Runs scripts of one hash slot in one round trip. See `RedisConnection.evaluateAll`.
    package func evaluateAll(
        _ calls: [RedisCall], deadline: Duration
    ) async -> [Result<RedisValue, RedisError>] {
        await connection.evaluateAll(calls, deadline: deadline)
    }

    /// Runs a script, then WAIT. See `RedisConnection.evaluateThenWait`.
    package func evaluateThenWait(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], replicas: Int,
        timeout: Duration, deadline: Duration
    ) async throws(RedisError) -> (RedisValue, Int) {
        try await connection.evaluateThenWait(
            script, keys: keys, arguments: arguments, replicas: replicas, timeout: timeout,
            deadline: deadline)
    }

    /// Sends a command about `routingKey`. See `RedisConnection.send`.
    package func send(
        _ arguments: [RedisArgument], routingKey: String, deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await connection.send(arguments, deadline: deadline)
    }

    /// A new connection for subscriptions to channels of `routingKey`'s hash slot.
    package func subscriber(routingKey: String) -> RedisSubscriber {
        RedisSubscriber(loop: loop, url: url, name: name + "-events")
    }

    /// Closes the connection; calls under way fail. From any thread.
    package func close() { connection.close() }
}

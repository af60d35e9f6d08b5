package import Runtime

package final class RedisClient: Sendable {
    let connection: RedisConnection
    package init(
        loop: EventLoop, url: RedisURL, name: String, scripts: RedisScripts,
        options: RedisOptions = RedisOptions()
    ) {
        connection = RedisConnection(
            loop: loop, url: url, name: name, scripts: scripts, options: options)
    }
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await connection.evaluate(script, keys: keys, arguments: arguments, deadline: deadline)
    }
    package func send(_ arguments: [RedisArgument], routingKey: String, deadline: Duration)
        async throws(RedisError) -> RedisValue
    {
        try await connection.send(arguments, deadline: deadline)
    }
    package func close() { connection.close() }
}
package final class RedisSubscriber: Sendable { package func close() {} }
extension RedisClient {
    package func subscriber(
        channels: [String], onMessage: @escaping @Sendable (String, [UInt8]) -> Void,
        onSubscribed: @escaping @Sendable () -> Void, onLost: @escaping @Sendable () -> Void
    ) -> RedisSubscriber { RedisSubscriber() }
}
extension RedisClient {
    package func evaluateAll(_ calls: [RedisCall], deadline: Duration) async -> [Result<
        RedisValue, RedisError
    >] { await connection.evaluateAll(calls, deadline: deadline) }
}

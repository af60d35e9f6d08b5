internal import Runtime

extension RedisConnection {
    /// Runs a script and waits for its reply.
    ///
    /// - Parameters:
    ///   - keys: KEYS, all of one hash slot.
    ///   - arguments: ARGV.
    /// - Throws: As `send` does; an error raised by the script has effect `.unknown`.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration
    ) async throws(RedisError) -> RedisValue {
        try await core.awaitReply { core, operation, completion in
            Evaluation(
                script, keys: keys, arguments: arguments, deadline: Self.time(after: deadline),
                operation: operation
            ) { result in completion(result.map(\.0)) }.run(on: core)
        }
    }

    /// Runs a script; `completion` is told, on the loop and never before this returns. Only on the
    /// loop's thread.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], deadline: Duration,
        _ completion: @escaping Completion
    ) {
        Evaluation(
            script, keys: keys, arguments: arguments, deadline: Self.time(after: deadline),
            operation: Operation()
        ) { result in completion(result.map(\.0)) }.run(on: core.value)
    }

    /// Runs a script, then WAIT on the same connection once the script has succeeded.
    ///
    /// Redis serves nothing else of this connection until WAIT ends: use one of its own.
    ///
    /// - Parameters:
    ///   - replicas: How many should have the write.
    ///   - timeout: How long the server waits for them; `deadline` must be longer.
    /// - Returns: The script's reply, and how many replicas have the write: perhaps fewer.
    /// - Throws: As `evaluate` does; effect `.applied` when the script ran and only WAIT failed.
    package func evaluateThenWait(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument] = [], replicas: Int,
        timeout: Duration, deadline: Duration
    ) async throws(RedisError) -> (RedisValue, Int) {
        let wait = Evaluation.Wait(replicas: replicas, timeout: timeout)
        return try await core.awaitReply { core, operation, completion in
            Evaluation(
                script, keys: keys, arguments: arguments, wait: wait,
                deadline: Self.time(after: deadline), operation: operation,
                completion: completion
            ).run(on: core)
        }
    }
}

/// One run of a script on one connection, through a flush of the server's scripts.
///
/// NOSCRIPT on EVALSHA loads all scripts again and repeats the call; a second one, when somebody
/// flushes all the time, sends the source. Nothing ran in the meantime, so the repeats are safe.
final class Evaluation {
    typealias Completion = (Result<(RedisValue, Int?), RedisError>) -> Void

    /// WAIT after the script, on the same connection, since it counts that one's writes alone.
    struct Wait {
        let replicas: Int
        /// Milliseconds; the server answers with the count after so long at the latest.
        let timeout: Int64
    }

    private let script: RedisScript
    private let keys: [String]
    private let arguments: [RedisArgument]
    private let wait: Wait?
    private let deadline: UInt64
    private let operation: Operation
    private let completion: Completion
    private var repeats = 0
    private var isOver = false

    init(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], wait: Wait? = nil,
        deadline: UInt64, operation: Operation, completion: @escaping Completion
    ) {
        self.script = script
        self.keys = keys
        self.arguments = arguments
        self.wait = wait
        self.deadline = deadline
        self.operation = operation
        self.completion = completion
    }

    func run(on core: ConnectionCore) {
        let command = script.command(keys: keys, arguments: arguments, inFull: repeats > 1)
        guard let wait else {
            operation.id = core.submit(command, deadline: deadline) { [self] result in
                guard !mustRepeat(result, on: core) else { return }
                completion(result.map { ($0, nil) }.mapError(Self.fate))
            }
            return
        }
        var evaluated: Result<RedisValue, RedisError>?
        operation.id = core.submit(command, deadline: deadline) { [self] result in
            evaluated = result
            // The cancelled caller does not wait for WAIT.
            if case .failure(let error) = result, error.code == .cancelled {
                finish(result, result)
            }
        }
        core.submit(
            ["WAIT", RedisArgument(wait.replicas), .integer(wait.timeout)], deadline: deadline
        ) {
            [self] counted in
            guard let evaluated else { preconditionFailure("replies out of order") }
            guard !isOver, !mustRepeat(evaluated, on: core) else { return }
            finish(evaluated, counted)
        }
    }

    private func mustRepeat(
        _ result: Result<RedisValue, RedisError>, on core: ConnectionCore
    ) -> Bool {
        guard case .failure(let error) = result, error.code == .noScript, repeats < 2,
            !operation.isCancelled
        else { return false }
        repeats += 1
        core.reloadScripts(deadline: deadline)
        run(on: core)
        return true
    }

    private func finish(
        _ evaluated: Result<RedisValue, RedisError>, _ counted: Result<RedisValue, RedisError>
    ) {
        isOver = true
        switch (evaluated, counted) {
        case (.failure(let error), _): completion(.failure(Self.fate(error)))
        case (.success(let value), .success(let count)):
            guard let count = count.int else {
                let error = RedisError(
                    .protocolViolation, "WAIT answered with no number", effect: .applied)
                return completion(.failure(error))
            }
            completion(.success((value, Int(count))))
        case (.success, .failure(let error)):
            completion(.failure(error.with(effect: .applied)))
        }
    }

    /// An error that the script itself made up says nothing about what it did before.
    private static func fate(_ error: RedisError) -> RedisError {
        guard case .server = error.code else { return error }
        return error.with(effect: .unknown)
    }
}

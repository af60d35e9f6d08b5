/// One run of a script on one connection, through a flush of the server's scripts.
///
/// NOSCRIPT on EVALSHA loads all scripts again and repeats the call; a second one, when somebody
/// flushes all the time, sends the source. Nothing ran in the meantime, so the repeats are safe.
final class Evaluation {
    typealias Completion = (Result<(RedisValue, Int), RedisError>) -> Void

    /// WAIT after the script, on the same connection, since it counts that one's writes alone.
    struct Wait {
        let replicas: Int
        /// The server answers with the count after so long at the latest.
        let milliseconds: Int64

        init(replicas: Int, timeout: Duration) {
            self.replicas = replicas
            // 0 would wait for ever.
            milliseconds = Int64(max(1, timeout.wholeNanoseconds / Nanoseconds.perMillisecond))
        }
    }

    private let script: RedisScript
    private let keys: [String]
    private let arguments: [RedisArgument]
    private let wait: Wait?
    private let deadline: UInt64
    private let operation: Operation
    private let isAsking: Bool
    private let completion: Completion
    private var repeats = 0
    private var isOver = false
    private var evaluated: Result<RedisValue, RedisError>?
    private var counted: Result<RedisValue, RedisError>?

    init(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], wait: Wait? = nil,
        deadline: UInt64, operation: Operation, isAsking: Bool = false,
        completion: @escaping Completion
    ) {
        self.script = script
        self.keys = keys
        self.arguments = arguments
        self.wait = wait
        self.deadline = deadline
        self.operation = operation
        self.isAsking = isAsking
        self.completion = completion
    }

    func run(on core: ConnectionCore) {
        if isAsking { Self.ask(core, deadline: deadline) }
        let command = script.command(keys: keys, arguments: arguments, inFull: repeats > 1)
        guard let wait else {
            let id = core.submit(command, deadline: deadline) { [self] result in
                guard !mustRepeat(result, on: core) else { return }
                completion(result.map { ($0, 0) }.mapError(Self.fate))
            }
            return operation.isNow(id, on: core)
        }
        evaluated = nil
        counted = nil
        let id = core.submit(command, deadline: deadline) { [self] result in
            evaluated = result
            settle(on: core)
        }
        operation.isNow(id, on: core)
        let words: [RedisArgument] = [
            "WAIT", RedisArgument(wait.replicas), .integer(wait.milliseconds),
        ]
        core.submit(words, deadline: deadline) { [self] result in
            counted = result
            settle(on: core)
        }
    }

    /// Ends, or repeats, when both answers are there; a cancelled caller does not wait for the second.
    private func settle(on core: ConnectionCore) {
        guard !isOver, let evaluated else { return }
        if operation.isCancelled { return finish(evaluated, counted ?? evaluated) }
        guard let counted, !mustRepeat(evaluated, on: core) else { return }
        finish(evaluated, counted)
    }

    /// Lets a Cluster's node take the next command for a slot that is on its way to it.
    static func ask(_ core: ConnectionCore, deadline: UInt64) {
        // Its answer says nothing that the next one does not say.
        core.submit(["ASKING"], deadline: deadline) { _ in }
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

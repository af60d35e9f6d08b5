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
        let id = core.submit(command, deadline: deadline) { [self] result in
            guard !mustRepeat(result, on: core) else { return }
            switch result {
            case .failure(let error): completion(.failure(Self.fate(error)))
            case .success(let value): follow(value, on: core)
            }
        }
        operation.isNow(id, on: core)
    }

    /// Sends WAIT within the call that brought the script's reply, so on the very connection it ran
    /// on. Not in one write with the script: WAIT after one that failed would hold up all that comes
    /// behind it, and so many scripts may run before the first WAIT.
    private func follow(_ value: RedisValue, on core: ConnectionCore) {
        guard let wait else { return completion(.success((value, 0))) }
        guard core.state == .connected else {
            let error = RedisError(.closed, "the connection is gone before WAIT", effect: .applied)
            return completion(.failure(error))
        }
        let words: [RedisArgument] = [
            "WAIT", RedisArgument(wait.replicas), .integer(wait.milliseconds),
        ]
        let id = core.submit(words, deadline: deadline) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error.with(effect: .applied)))
            case .success(let count):
                guard let count = count.int else {
                    let error = RedisError(
                        .protocolViolation, "WAIT answered with no number", effect: .applied)
                    return completion(.failure(error))
                }
                completion(.success((value, Int(count))))
            }
        }
        operation.isNow(id, on: core)
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

    /// An error that the script itself made up says nothing about what it did before.
    private static func fate(_ error: RedisError) -> RedisError {
        guard case .server = error.code else { return error }
        return error.with(effect: .unknown)
    }
}

internal import Runtime

/// One run of a script among several that leave together.
package struct RedisCall: Sendable {
    let script: RedisScript
    let keys: [String]
    let arguments: [RedisArgument]

    /// A run of `script`; all `keys` lie in one hash slot.
    package init(_ script: RedisScript, _ keys: [String], _ arguments: [RedisArgument]) {
        self.script = script
        self.keys = keys
        self.arguments = arguments
    }
}

extension RedisConnection {
    /// Runs scripts in order, in one write and so in one round trip.
    ///
    /// - Returns: A result for each; one that fails does not keep the next from running.
    package func evaluateAll(
        _ calls: [RedisCall], deadline: Duration
    ) async -> [Result<RedisValue, RedisError>] {
        let core = core
        return unsafe await withUnsafeContinuation {
            (continuation: UnsafeContinuation<[Result<RedisValue, RedisError>], Never>) in
            core.perform { core in
                let gathering = Gathering(count: calls.count) { results in
                    unsafe continuation.resume(returning: results)
                }
                for (index, call) in calls.enumerated() {
                    Evaluation(
                        call.script, keys: call.keys, arguments: call.arguments,
                        deadline: Self.time(after: deadline), operation: Operation()
                    ) { result in gathering.take(result.map(\.0), at: index) }.run(on: core)
                }
            }
        }
    }
}

/// Collects the results of a batch, which may come in any order after a reload of scripts.
private final class Gathering {
    private var results: [Result<RedisValue, RedisError>?]
    private var missing: Int
    private let whenComplete: ([Result<RedisValue, RedisError>]) -> Void

    init(count: Int, whenComplete: @escaping ([Result<RedisValue, RedisError>]) -> Void) {
        results = Array(repeating: nil, count: count)
        missing = count
        self.whenComplete = whenComplete
    }

    func take(_ result: Result<RedisValue, RedisError>, at index: Int) {
        guard results[index] == nil else { return }
        results[index] = result
        missing -= 1
        if missing == 0 { whenComplete(results.compactMap { $0 }) }
    }
}

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

extension RedisClient {
    /// Runs scripts in order, in one write and so in one round trip when they go to one node.
    ///
    /// `completion` is told, on the loop and never before this returns, a result for each; one that
    /// fails does not keep the next from running. Only on the loop's thread.
    package func evaluateAll(
        _ calls: [RedisCall], deadline: Duration,
        _ completion: @escaping ([Result<RedisValue, RedisError>]) -> Void
    ) {
        let gathering = Gathering(count: calls.count, whenComplete: completion)
        for (index, call) in calls.enumerated() {
            evaluate(
                call.script, keys: call.keys, arguments: call.arguments, deadline: deadline
            ) { gathering.take($0, at: index) }
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

internal import Runtime

/// What a caller waits for, so that it can be told to stop waiting. Lives on the loop.
final class Operation {
    private(set) var isCancelled = false
    private var core: ConnectionCore?
    private var id: UInt64?

    /// The command that is under way for it now; nil when it was refused.
    func isNow(_ id: UInt64?, on core: ConnectionCore) {
        self.id = id
        self.core = core
    }

    func cancel() {
        isCancelled = true
        if let id { core?.cancel(id) }
    }
}

extension LoopBound {
    /// Bridges a callback on the loop to the calling task. A cancelled task hears of it at once.
    func awaitReply<Reply: Sendable>(
        _ begin:
            @escaping @Sendable (
                Value, Operation, @escaping (Result<Reply, RedisError>) -> Void
            ) -> Void
    ) async throws(RedisError) -> Reply {
        let operation = LoopBound<Operation>(Operation(), on: loop)
        let result = await withTaskCancellationHandler {
            unsafe await withUnsafeContinuation {
                (continuation: UnsafeContinuation<Result<Reply, RedisError>, Never>) in
                perform { value in
                    guard !operation.value.isCancelled else {
                        let error = RedisError(.cancelled, "the command was cancelled")
                        return unsafe continuation.resume(returning: .failure(error))
                    }
                    begin(value, operation.value) { result in
                        unsafe continuation.resume(returning: result)
                    }
                }
            }
        } onCancel: {
            operation.perform { $0.cancel() }
        }
        return try result.get()
    }
}

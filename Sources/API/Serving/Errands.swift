internal import Runtime

/// Work that no single request waits for: a refresh asked for after the answer, a copy read again,
/// a payload compressed. Each errand is a child task of `run`, on the loop unless it says otherwise.
final class Errands<Core>: Sendable {
    typealias Errand = @Sendable (Core) async -> Void

    private let errands: AsyncStream<Errand>
    private let continuation: AsyncStream<Errand>.Continuation

    init() { (errands, continuation) = AsyncStream.makeStream(of: Errand.self) }

    /// Starts `errand` on the loop, after what runs there now.
    func start(_ errand: @escaping Errand) { continuation.yield(errand) }

    /// Does `work` on the pool of threads, then hands its result back on the loop.
    func startElsewhere<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result,
        then finish: @escaping @Sendable (Core, Result) -> Void
    ) {
        start { core in
            let result = await Self.elsewhere(work)
            finish(core, result)
        }
    }

    /// Does `work` on the pool of threads while the calling task waits.
    static func elsewhere<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result
    ) async -> Result {
        // A task's preference for the loop holds for its children too, so it is set aside.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await concurrently(work) }
    }

    @concurrent
    private static func concurrently<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result
    ) async -> Result {
        work()
    }

    /// Does errands until `finish` was called and all begun ones are over.
    func run(_ core: LoopBound<Core>) async {
        await withDiscardingTaskGroup { group in
            for await errand in errands {
                group.addTask(executorPreference: core.loop) { await errand(core.value) }
            }
        }
    }

    /// Takes no more errands.
    func finish() { continuation.finish() }
}

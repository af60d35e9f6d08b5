internal import Runtime
internal import Synchronization

/// The main thread as an event loop with one task on it: how every command that speaks to Redis
/// runs. The loop lives on the main thread, so the process ends when the task does.
enum LoopMain {
    private final class Outcome: Sendable {
        private let code = Mutex(ExitCode.failed)
        func set(_ new: ExitCode) { code.withLock { $0 = new } }
        var value: ExitCode { code.withLock { $0 } }
    }

    static func run(
        _ name: String, _ body: @escaping @Sendable (EventLoop) async -> ExitCode
    ) -> ExitCode {
        let loop = EventLoop(name: name)
        let outcome = Outcome()
        Task(executorPreference: loop) {
            outcome.set(await body(loop))
            loop.stop()
        }
        loop.run()
        return outcome.value
    }
}

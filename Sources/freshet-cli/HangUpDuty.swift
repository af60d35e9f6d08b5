internal import Runtime

/// What SIGHUP means to a process: read the configuration again, or a line that says that it does not.
struct HangUpDuty: Service {
    private let hangUps: AsyncStream<Void>
    private let noted: AsyncStream<Void>.Continuation
    private var action: @Sendable () async -> Void = {}

    /// Takes signals from now on; they are acted on by `run`, several at once as one.
    init(_ signals: SignalSource) {
        let (hangUps, noted) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.hangUps = hangUps
        self.noted = noted
        signals.onSignal([.hangUp]) { _ in noted.yield() }
    }

    /// The duty with something to do.
    func doing(_ action: @escaping @Sendable () async -> Void) -> HangUpDuty {
        var duty = self
        duty.action = action
        return duty
    }

    /// For a role that reads its configuration once.
    func refusing(_ role: String) -> HangUpDuty {
        doing {
            Log.warning(
                "config.not_reloaded",
                [
                    "message":
                        "a \(role) reads its configuration when it starts; restart it, its jobs are kept"
                ])
        }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in hangUps { await action() }
        } onGracefulShutdown: {
            noted.finish()
        }
    }
}

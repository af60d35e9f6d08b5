/// Runs services side by side and ends them together.
///
///     first signal, or the first service that ends ── graceful shutdown, last service first
///     gracePeriod later, or the second signal      ── cancellation
///
/// `run` returns when all have ended. It throws what the first service that failed threw, unless that
/// was the cancellation this group itself had ordered.
package struct ServiceGroup: Service {
    package var services: [any Service]
    package var gracePeriod: Duration
    package var signals: SignalSource?

    /// - Parameters:
    ///   - services: In the order of dependence: the last is asked to stop first, and the one before
    ///     it when the last has ended.
    ///   - gracePeriod: From the beginning of a shutdown to cancellation.
    ///   - signals: SIGTERM and SIGINT begin the shutdown; `nil`: only an outer group does.
    package init(
        _ services: [any Service], gracePeriod: Duration = .seconds(30),
        signals: SignalSource? = nil
    ) {
        self.services = services
        self.gracePeriod = gracePeriod
        self.signals = signals
    }

    private enum Event: Sendable {
        case ended(Int, (any Error)?)
        case shutdown
        case signal
        case giveUp
        case nothing
    }

    private struct Progress {
        var running: Set<Int>
        var isShuttingDown = false
        var isCancelled = false
        var failure: (any Error)?
    }

    package func run() async throws {
        guard !services.isEmpty else { return }
        let triggers = services.map { _ in ShutdownTrigger() }
        let (signalled, signal) = AsyncStream.makeStream(of: Void.self)
        signals?.onSignal([.terminate, .interrupt]) { _ in signal.yield() }

        let failure = await withTaskGroup(of: Event.self) { group in
            for (index, service) in services.enumerated() {
                let trigger = triggers[index]
                group.addTask { await Self.run(service, index, under: trigger) }
            }
            group.addTask {
                // The outer group's shutdown, or our own cancellation.
                do { try await gracefulShutdown() } catch { return .giveUp }
                return .shutdown
            }
            group.addTask { await Self.next(of: signalled) }

            var progress = Progress(running: Set(services.indices))
            while !progress.running.isEmpty, let event = await group.next() {
                handle(event, &progress, triggers, &group)
                if case .signal = event { group.addTask { await Self.next(of: signalled) } }
            }
            group.cancelAll()
            return progress.failure
        }
        if let failure { throw failure }
    }

    private static func run(
        _ service: any Service, _ index: Int, under trigger: ShutdownTrigger
    ) async -> Event {
        await ShutdownTrigger.$current.withValue(trigger) {
            do {
                try await service.run()
                return .ended(index, nil)
            } catch {
                return .ended(index, error)
            }
        }
    }

    private static func next(of signalled: AsyncStream<Void>) async -> Event {
        for await _ in signalled { return .signal }
        return .nothing
    }

    private func handle(
        _ event: Event, _ progress: inout Progress, _ triggers: [ShutdownTrigger],
        _ group: inout TaskGroup<Event>
    ) {
        switch event {
        case .ended(let index, let error):
            progress.running.remove(index)
            if let error {
                let wasOrdered = progress.isCancelled && error is CancellationError
                if progress.failure == nil && !wasOrdered { progress.failure = error }
                Log.debug(
                    "service.ended",
                    ["service": "\(type(of: services[index]))", "error": "\(error)"])
            }
            shutDown(&progress, triggers, &group)
        case .shutdown:
            shutDown(&progress, triggers, &group)
        case .signal where progress.isShuttingDown, .giveUp:
            guard !progress.isCancelled else { return }
            progress.isCancelled = true
            progress.isShuttingDown = true
            for trigger in triggers.reversed() { trigger.trigger() }
            group.cancelAll()
        case .signal:
            shutDown(&progress, triggers, &group)
        case .nothing:
            break
        }
    }

    /// Begins the shutdown, or goes on with it: one service after the other.
    private func shutDown(
        _ progress: inout Progress, _ triggers: [ShutdownTrigger],
        _ group: inout TaskGroup<Event>
    ) {
        if !progress.isShuttingDown {
            progress.isShuttingDown = true
            group.addTask { [gracePeriod] in
                do { try await Task.sleep(for: gracePeriod) } catch { return .nothing }
                return .giveUp
            }
        }
        if let last = progress.running.max() { triggers[last].trigger() }
    }
}

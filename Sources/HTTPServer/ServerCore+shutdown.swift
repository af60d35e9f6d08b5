internal import CMicrohttpd
internal import Runtime

// The end: nothing new, what runs is finished, what waits is told, and nobody is left suspended.
extension ServerCore {
    /// How long a client that connected just before the end has to send its request.
    private static let lateComers = Duration.seconds(1)

    /// Stops taking connections and requests. Streams end; running requests go on, and those whose
    /// clients were let in by the kernel already are answered: it sends no other process to them.
    func beginShutdown() {
        guard !isStopping else { return }
        isStopping = true
        for listener in listeners { listener.drainAndClose() }
        gate.close(olderThan: Self.lateComers)
        loop.schedule(after: Self.lateComers) { [weak self] in
            self?.gate.closeAll()
            self?.checkDrained()
        }
        streams.finishAll()
        for connection in connections.all where connection.phase == .idle {
            // A request that has just arrived is still answered.
            if freshet_unread(connection.descriptor) == 0 { abandon(connection) }
        }
        setNeedsRun()
    }

    /// Calls `body` once nothing is left to wait for.
    func whenDrained(_ body: @escaping () -> Void) {
        drained = body
        checkDrained()
    }

    func checkDrained() {
        guard isStopping, connections.count == 0, streams.count == 0, gate.count == 0 else {
            return
        }
        drained?()
        drained = nil
    }

    /// Answers everything that still waits, closes all the rest and gives the daemon back.
    func stopNow() {
        guard daemon != nil else { return }
        isStopping = true
        startTask = nil
        for listener in listeners { listener.close() }
        gate.closeAll()
        streams.closeAll()
        for connection in connections.all where connection.phase == .suspended {
            if let exchange = connection.exchange {
                let refusal = Refusal.stopping.problem(exchange.requestID)
                exchange.fail(with: .response(renderProblem(refusal)))
            }
            resume(connection)
        }
        // A run resumes, the next ones send. It aborts the process to stop while one is suspended.
        var rounds = 0
        while rounds < 3 || suspended > 0 {
            runOnce()
            rounds += 1
            precondition(rounds < 10_000, "a suspended connection does not resume")
        }
        for connection in connections.all { abandon(connection) }
        runOnce()
        stop()
    }
}

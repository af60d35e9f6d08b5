import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Runtime
import TestSupport
import Testing

@testable import Worker

@Suite("Stopping sources and workers", .timeLimit(.minutes(1)))
struct StoppingTests {
    private let plain = Fixtures.settings(Fixtures.resource("r"))

    @Test("an attempt past its timeout fails, and its source is cancelled")
    func timesOut() async throws {
        let settings = Fixtures.settings(
            Fixtures.resource("r") {
                $0.timeout = .milliseconds(30)
                $0.retry.maximumRetries = 0
            })
        try await withStore { store in
            let tally = Tally()
            try await withWorker(
                settings, store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    return try await untilCancelled()
                }
            ) { _ in
                let job = try await store.job(try await store.ask("r"), in: .dead)
                #expect(job.error == "timed out after 0.03 s")
            }
            #expect(tally.now == 0)
        }
    }

    @Test("cancelling a job stops its source, and nothing is published")
    func cancels() async throws {
        try await withStore { store in
            let tally = Tally()
            try await withWorker(
                plain, store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    _ = try? await untilCancelled()
                    return Fixtures.json("1")
                }
            ) { _ in
                let id = try await store.ask("r")
                try await eventually("running") { tally.now == 1 }
                let outcome = try await store.base.cancel(id, keepJobs: .seconds(60))
                #expect(outcome == .stopped)
                try await eventually("stopped", deadline: .seconds(2)) { tally.now == 0 }
            }
            #expect(try await store.status("r").version == 0)
            #expect(try await store.base.job(id(store))?.state == .cancelled)
        }
    }

    @Test("a new request waits until the cancelled source has ended", arguments: [true, false])
    func oneAtATime(purges: Bool) async throws {
        try await withStore { store in
            let tally = Tally()
            let stopped = Gate()
            let mayEnd = Gate()
            let source: @Sendable (SourceContext) async throws -> SourceOutcome = { _ in
                tally.enter()
                defer { tally.leave() }
                guard tally.total == 1 else { return Fixtures.json("2") }
                _ = try? await untilCancelled()
                stopped.open()
                await mayEnd.wait()
                return Fixtures.json("1")
            }
            try await withWorker(plain, store, id: "w1", source: source) { _ in
                try await withWorker(plain, store, id: "w2", source: source) { _ in
                    let first = try await store.ask("r")
                    try await eventually("running") { tally.now == 1 }
                    if purges {
                        try await store.base.purge(Fixtures.key("r"), keepJobs: .seconds(60))
                    } else {
                        _ = try await store.base.cancel(first, keepJobs: .seconds(60))
                    }
                    let second = try await store.ask("r")
                    #expect(second != first)
                    await stopped.wait()
                    // Both workers look for work meanwhile.
                    let looks = store.calls("claim")
                    try await eventually("looks") { store.calls("claim") >= looks + 4 }
                    #expect(try await store.base.job(second)?.state == .queued)
                    mayEnd.open()
                    // At once, not when a lease of ten seconds has run out.
                    _ = try await eventualValue("run", deadline: .seconds(5)) {
                        try await store.base.job(second).flatMap {
                            $0.state == .succeeded ? $0 : nil
                        }
                    }
                }
            }
            #expect(tally.most == 1 && tally.total == 2)
            #expect(try await store.status("r").version == 1)
        }
    }

    @Test("a source left behind does not free its key")
    func leftBehind() async throws {
        let gate = Gate()
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.lease = .seconds(600) })
        try await withStore { store in
            let tally = Tally()
            try await withWorker(
                settings, store, pace: clock.pace,
                source: { _ in
                    tally.enter()
                    await gate.wait()
                    return Fixtures.json("1")
                }
            ) { _ in
                let first = try await store.ask("r")
                try await eventually("running") { tally.now == 1 }
                _ = try await store.base.cancel(first, keepJobs: .seconds(60))
                let heartbeats = store.calls("heartbeat")
                try await clock.advance(by: .seconds(1)) {
                    store.calls("heartbeat") >= heartbeats + 3
                }
                // Past its grace: nobody waits for it any more.
                clock.advance(by: WorkerService.stopGrace)
                let second = try await store.ask("r")
                let looks = store.calls("claim")
                try await clock.advance(by: .seconds(1)) { store.calls("claim") >= looks + 3 }
                #expect(try await store.base.job(second)?.state == .queued)
                #expect(store.calls("release") == 0)
            }
        }
        gate.open()
    }

    private func id(_ store: HookedStore) async throws -> JobID {
        let jobs = try await store.base.jobs(states: [], cursor: nil, limit: 10)
        return try #require(jobs.items.first?.id)
    }

    @Test("a lease that the store says is lost stops the source")
    func losesLease() async throws {
        try await withStore { store in
            let tally = Tally()
            store.answerHeartbeats { $0.map { _ in false } }
            try await withWorker(
                plain, store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    return try await untilCancelled()
                }
            ) { _ in
                try await store.ask("r")
                try await eventually("stopped") { tally.total == 1 && tally.now == 0 }
            }
            #expect(store.calls("fail") == 0 && store.calls("handBack") == 0)
        }
    }

    @Test("a source runs no longer than its lease when no heartbeat gets through")
    func cannotRenew() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.lease = .milliseconds(600) })
        try await withStore { store in
            let tally = Tally()
            store.decide { call, _ in call == "heartbeat" ? .fail : .pass }
            try await withWorker(
                settings, store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    return try await untilCancelled()
                }
            ) { _ in
                try await store.ask("r")
                try await eventually("stopped") { tally.total > 0 && tally.now == 0 }
            }
            #expect((2...10).contains(store.calls("heartbeat")), "repeated, without a spin")
        }
    }

    @Test("a slow source keeps its lease for as long as it takes")
    func renews() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.lease = .milliseconds(300) })
        try await withStore { store in
            let gate = Gate()
            try await withWorker(
                settings, store,
                source: { _ in
                    await gate.wait()
                    return Fixtures.json("1")
                }
            ) { _ in
                let id = try await store.ask("r")
                // Ten leases' worth.
                try await eventually("heartbeats") { store.calls("heartbeat") >= 30 }
                gate.open()
                let job = try await store.job(id, in: .succeeded)
                #expect(job.attempt == 1)
            }
        }
    }

    @Test("a source that ignores its timeout is left behind; its slot and shutdown go on")
    func leavesBehind() async throws {
        let settings = Fixtures.settings(
            Fixtures.resource("deaf") {
                $0.timeout = .seconds(1)
                $0.retry.maximumRetries = 0
            }, Fixtures.resource("good")
        ) { $0.worker.concurrency = 1 }
        let clock = ManualPace()
        let gate = Gate()
        try await withStore { store in
            try await withWorker(
                settings, store, pace: clock.pace,
                source: { context in
                    if context.key.text == "deaf" { await gate.wait() }
                    return Fixtures.json("1")
                }
            ) { _ in
                let deaf = try await store.ask("deaf")
                try await eventually("running") {
                    try await store.base.job(deaf)?.state == .running
                }
                let good = try await store.ask("good")
                try await clock.advance { try await store.base.job(deaf)?.state == .dead }
                _ = try await store.job(good, in: .succeeded)
            }
            // The worker has ended and the source has not.
            gate.open()
            #expect(try await store.status("deaf").version == 0)
        }
    }

    @Test("a graceful shutdown lets running jobs finish and begins no other")
    func drains() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r")) { $0.worker.concurrency = 1 }
        try await withStore { store in
            let gate = Gate()
            let tally = Tally()
            let first = try await store.ask("r?n=1")
            let second = try await store.ask("r?n=2")
            try await withWorker(
                settings, store,
                source: { _ in
                    tally.enter()
                    await gate.wait()
                    return Fixtures.json("1")
                }
            ) { trigger in
                try await eventually("running") { tally.total == 1 }
                trigger.trigger()
                gate.open()
            }
            #expect(try await store.base.job(first)?.state == .succeeded)
            let waiting = try #require(try await store.base.job(second))
            #expect(waiting.state == .queued && waiting.attempt == 0)
        }
    }

    @Test("past the drain timeout a job is handed back and costs no attempt")
    func handsBack() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r")) {
            $0.worker.drainTimeout = .milliseconds(50)
        }
        try await withStore { store in
            let tally = Tally()
            let id = try await store.ask("r")
            try await withWorker(
                settings, store,
                source: { _ in
                    tally.enter()
                    return try await untilCancelled()
                }
            ) { trigger in
                try await eventually("running") { tally.total == 1 }
                trigger.trigger()
            }
            let job = try #require(try await store.base.job(id))
            #expect(job.state == .queued && job.attempt == 0 && job.position == 1)
        }
    }

    @Test("a cancelled worker hands its jobs back at once, deaf sources or not")
    func givesUp() async throws {
        let gate = Gate()
        try await withStore { store in
            let tally = Tally()
            let id = try await store.ask("r")
            let worker = try WorkerService(
                settings: plain, store: store, id: "w1", version: "test"
            ) { _ in
                ClosureSource { _ in
                    tally.enter()
                    await gate.wait()
                    return Fixtures.json("1")
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                try await eventually("running") { tally.total == 1 }
                group.cancelAll()
                try await group.waitForAll()
            }
            let job = try #require(try await store.base.job(id))
            #expect(job.state == .queued && job.attempt == 0)
            #expect(try await store.queue().workers.isEmpty)
        }
        gate.open()
    }

    @Test("a job whose worker died runs again, with the others unharmed")
    func takesOver() async throws {
        try await withStore { store in
            let id = try await store.ask("r")
            var ghost = ClaimRequest(worker: "ghost")
            ghost.lease = .milliseconds(50)
            #expect(try await store.base.claim(ghost).claims.count == 1)
            try await withWorker(plain, store, source: { _ in Fixtures.json("1") }) { _ in
                let job = try await store.job(id, in: .succeeded)
                #expect(job.attempt == 1 && job.worker == "w1")
            }
        }
    }
}

import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Runtime
import TestSupport
import Testing

@testable import Worker

/// `refresh.max_concurrent` where keys are spread over several partitions.
@Suite("One cap over several partitions", .timeLimit(.minutes(1)))
struct SharedCapTests {
    private func settings(
        cap: Int, lease: Duration = .seconds(10), concurrency: Int = 4
    ) -> Settings {
        Fixtures.settings(Fixtures.resource("r") { $0.lease = lease }) {
            $0.refresh.maximumConcurrent = cap
            $0.worker.concurrency = concurrency
        }
    }

    /// Keys by their partition of four.
    private func keys(in partition: Int? = nil, count: Int) -> [String] {
        let all = (0...).lazy.map { "r?n=\($0)" }.filter {
            partition == nil || Fixtures.key($0).partition(of: 4) == partition
        }
        return Array(all.prefix(count))
    }

    @Test("two workers together run no more than the cap, and as many", arguments: [1, 3, 5])
    func together(cap: Int) async throws {
        try await withStore(partitions: 4) { store in
            let tally = Tally()
            let gate = Gate()
            var jobs: [JobID] = []
            for key in keys(count: 24) { jobs.append(try await store.ask(key)) }
            let source: @Sendable (SourceContext) async throws -> SourceOutcome = { _ in
                tally.enter()
                defer { tally.leave() }
                await gate.wait()
                // Long enough to overlap with whatever else is claimed.
                for _ in 0..<50 { await Task.yield() }
                return Fixtures.json("1")
            }
            let settings = settings(cap: cap)
            try await withWorker(settings, store, id: "w1", source: source) { _ in
                try await withWorker(settings, store, id: "w2", source: source) { _ in
                    try await eventually("the cap is used") { tally.now == cap }
                    gate.open()
                    for job in jobs { _ = try await store.job(job, in: .succeeded) }
                }
            }
            #expect(tally.most == cap)
            #expect(tally.total == 24)
        }
    }

    @Test("work of one partition alone may use the whole cap")
    func onePartition() async throws {
        try await withStore(partitions: 4) { store in
            let tally = Tally()
            let gate = Gate()
            for key in keys(in: 2, count: 4) { try await store.ask(key) }
            try await withWorker(
                settings(cap: 3), store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    await gate.wait()
                    return Fixtures.json("1")
                }
            ) { _ in
                try await eventually("the cap is used") { tally.now == 3 }
                gate.open()
                try await eventually("all ran") { tally.total == 4 }
            }
            #expect(tally.most == 3)
        }
    }

    @Test("slots whose answer was lost are asked for again, not lost with it")
    func lostReply() async throws {
        try await withStore(partitions: 4) { store in
            store.decide { call, number in
                call == "takeSlots" && number <= 2 ? .loseReply : .pass
            }
            let job = try await store.ask("r")
            try await withWorker(
                settings(cap: 1), store, source: { _ in Fixtures.json("1") }
            ) { _ in
                // Far within the ten seconds for which a lost slot would be taken.
                _ = try await eventualValue("run", deadline: .seconds(5)) {
                    try await store.base.job(job).flatMap { $0.state == .succeeded ? $0 : nil }
                }
            }
        }
    }

    @Test("a worker that ends, and jobs that end, leave no slot taken")
    func givesBack() async throws {
        try await withStore(partitions: 4) { store in
            try await withWorker(
                settings(cap: 3), store, source: { _ in Fixtures.json("1") }
            ) { _ in
                for key in keys(count: 12) {
                    _ = try await store.job(try await store.ask(key), in: .succeeded)
                }
            }
            let all = (0..<3).map { Slot(lease: .seconds(1), name: "test-\($0)") }
            #expect(try await store.base.takeSlots(all, maximum: 3) == [true, true, true])
        }
    }

    @Test(
        "a source whose slot cannot be renewed is stopped, and its job handed back",
        arguments: [HookedStore.Verdict.fail, .pass])
    func losesSlot(_ verdict: HookedStore.Verdict) async throws {
        try await withStore(partitions: 2) { store in
            let tally = Tally()
            let job = try await store.ask("r")
            try await withWorker(
                settings(cap: 1, lease: .milliseconds(600)), store,
                source: { _ in
                    tally.enter()
                    defer { tally.leave() }
                    return try await untilCancelled()
                }
            ) { _ in
                try await eventually("running") { tally.now == 1 }
                // Either the store does not answer, or it says that the slot is another's.
                store.decide { call, _ in call == "takeSlots" ? verdict : .pass }
                if verdict == .pass {
                    try await store.base.giveBackSlots(held(by: "w1"))
                    let theirs = [Slot(lease: .seconds(60), name: "other")]
                    #expect(try await store.base.takeSlots(theirs, maximum: 1) == [true])
                }
                try await eventually("stopped") { tally.now == 0 && store.calls("handBack") > 0 }
                let handedBack = try await store.job(job, in: .queued)
                #expect(handedBack.attempt == 0)
            }
        }
    }

    /// The slots a worker may have made up so far.
    private func held(by worker: String) -> [Slot] {
        (1...50).map { Slot(lease: .milliseconds(600), name: "\(worker)-\($0)") }
    }

    @Test("what a dead worker had is used again within its lease")
    func takesOver() async throws {
        try await withStore(partitions: 4) { store in
            let ghost = Slot(lease: .milliseconds(300), name: "ghost-1")
            #expect(try await store.base.takeSlots([ghost], maximum: 1) == [true])
            let job = try await store.ask("r")
            try await withWorker(
                settings(cap: 1), store, source: { _ in Fixtures.json("1") }
            ) { _ in _ = try await store.job(job, in: .succeeded) }
        }
    }

    @Test("one partition counts for itself")
    func singlePartition() async throws {
        try await withStore { store in
            let job = try await store.ask("r")
            try await withWorker(
                settings(cap: 1), store, source: { _ in Fixtures.json("1") }
            ) { _ in _ = try await store.job(job, in: .succeeded) }
            #expect(store.calls("takeSlots") == 0 && store.calls("giveBackSlots") == 0)
        }
    }
}

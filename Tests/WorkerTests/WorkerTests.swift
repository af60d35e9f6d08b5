import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite("Worker", .timeLimit(.minutes(1)))
struct WorkerTests {
    private let plain = Fixtures.settings(Fixtures.resource("films"))

    @Test("what a source brings is published with its facts")
    func publishes() async throws {
        try await withStore { store in
            try await withWorker(plain, store, source: { _ in Fixtures.json("[1,2,3]") }) { _ in
                let job = try await store.job(try await store.ask("films"), in: .succeeded)
                #expect(job.version == 1 && job.attempt == 1)
                let read = try await store.base.read(Fixtures.key("films"), held: nil)
                #expect(read.bytes == Array("[1,2,3]".utf8))
                #expect(read.status.payload?.facts.itemCount == 3)
                #expect(read.status.state == .idle)
            }
        }
    }

    @Test("the source is told key, attempt, scope and what is kept")
    func context() async throws {
        try await withStore { store in
            let seen = Mutex<[(String, Int, RefreshScope, [UInt8]?)]>([])
            let text = String(repeating: "refresh ", count: 1000)
            try await withWorker(
                Fixtures.settings(Fixtures.resource("r")), store,
                source: { context in
                    let previous = await context.previous?.load()
                    seen.withLock {
                        $0.append((context.key.text, context.attempt, context.scope, previous))
                    }
                    return .payload(Payload(bytes: Array(text.utf8), contentType: "text/plain"))
                }
            ) { _ in
                _ = try await store.job(try await store.ask("r?a=b%20c"), in: .succeeded)
                let kept = try await store.status("r?a=b%20c").payload
                #expect(kept?.encoding == .zstd && kept?.facts.sizeBytes == text.utf8.count)
                let second = try await store.ask("r?a=b%20c") { $0.scope = .parts(["x"]) }
                _ = try await store.job(second, in: .succeeded)
            }
            let calls = seen.withLock { $0 }
            #expect(calls.map(\.0) == ["r?a=b%20c", "r?a=b%20c"])
            #expect(calls.map(\.2) == [.all, .parts(["x"])])
            #expect(calls[0].3 == nil)
            #expect(calls[1].3 == Array(text.utf8))
        }
    }

    @Test("no more jobs run at once than there are slots, and a slot claims as it publishes")
    func slots() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r")) { $0.worker.concurrency = 3 }
        try await withStore { store in
            for number in 0..<60 { try await store.ask("r?n=\(number)") }
            let tally = Tally()
            try await withWorker(
                settings, store,
                source: { _ in
                    tally.enter()
                    await Task.yield()
                    tally.leave()
                    return Fixtures.json("1")
                }
            ) { _ in
                try await eventually("all published") {
                    try await store.queue().waiting + store.queue().running == 0
                }
            }
            #expect(tally.total == 60)
            #expect(tally.most <= 3)
            #expect(store.calls("publish") == 60)
            #expect(store.calls("claim") < 20, "one call per job, not two")
        }
    }

    @Test("every partition is served, however many there are and few slots")
    func partitions() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r")) { $0.worker.concurrency = 2 }
        try await withStore(partitions: 5) { store in
            for number in 0..<100 { try await store.ask("r?n=\(number)") }
            let order = Mutex<[Int]>([])
            try await withWorker(
                settings, store,
                source: { context in
                    order.withLock { $0.append(context.key.partition(of: 5)) }
                    return Fixtures.json("1")
                }
            ) { _ in
                try await eventually("all published") { order.withLock { $0.count } == 100 }
            }
            let early = Set(order.withLock { $0.prefix(60) })
            #expect(early == [0, 1, 2, 3, 4], "none waits until another is empty")
        }
    }

    @Test("a failed attempt is retried by the policy, with its error")
    func retries() async throws {
        let settings = Fixtures.settings(
            Fixtures.resource("r") {
                $0.retry.maximumRetries = 2
                $0.retry.interval = .milliseconds(20)
            })
        try await withStore { store in
            let attempts = Mutex<[Int]>([])
            try await withWorker(
                settings, store,
                source: { context in
                    attempts.withLock { $0.append(context.attempt) }
                    throw SourceError("no luck")
                }
            ) { _ in
                let job = try await store.job(try await store.ask("r"), in: .dead)
                #expect(job.attempt == 3 && job.error == "no luck")
            }
            #expect(attempts.withLock { $0 } == [1, 2, 3])
            #expect(try await store.status("r").consecutiveFailures == 3)
        }
    }

    @Test("what no retry can mend is dead at once, and says whether the source was there")
    func permanent() async throws {
        try await withStore { store in
            try await withWorker(
                plain, store,
                source: { _ in
                    throw SourceError("gone for good", isPermanent: true, isUnreachable: true)
                }
            ) { _ in
                let job = try await store.job(try await store.ask("films"), in: .dead)
                #expect(job.attempt == 1 && job.error == "gone for good")
                #expect(try await store.status("films").sourceOnline == false)
            }
        }
    }

    @Test("not modified renews freshness and keeps the version")
    func renews() async throws {
        try await withStore { store in
            try await withWorker(
                plain, store,
                source: { $0.previous == nil ? Fixtures.json("1") : .notModified }
            ) { _ in
                _ = try await store.job(try await store.ask("films"), in: .succeeded)
                let job = try await store.job(try await store.ask("films"), in: .succeeded)
                #expect(job.version == 1)
            }
        }
    }

    @Test("not modified without anything kept is a failure")
    func nothingKept() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.retry.maximumRetries = 0 })
        try await withStore { store in
            try await withWorker(settings, store, source: { _ in .notModified }) { _ in
                let job = try await store.job(try await store.ask("r"), in: .dead)
                #expect(job.error?.contains("nothing is kept") == true)
            }
        }
    }

    @Test("a payload that is gone when it is to be renewed is made anew in the same attempt")
    func rerunsWithoutValidators() async throws {
        try await withStore { store in
            let calls = Tally()
            try await withWorker(
                plain, store,
                source: { context in
                    calls.enter()
                    return context.previous == nil ? Fixtures.json("1") : .notModified
                }
            ) { _ in
                _ = try await store.job(try await store.ask("films"), in: .succeeded)
                store.answerPublications { $0.content == .renewal ? .nothingToRenew : nil }
                let job = try await store.job(try await store.ask("films"), in: .succeeded)
                #expect(job.version == 2 && job.attempt == 1)
            }
            #expect(calls.total == 3)
        }
    }

    @Test("a job of an unknown resource is handed back, unharmed and not at once")
    func unknown() async throws {
        try await withStore { store in
            let id = try await store.ask("other")
            try await withWorker(plain, store, source: { _ in Fixtures.json("1") }) { _ in
                let job = try await eventualValue("handed back") {
                    let job = try await store.base.job(id)
                    return job?.runAt == nil ? nil : job
                }
                #expect(job.state == .queued && job.attempt == 0)
            }
        }
    }

    @Test("progress reaches the job, the latest of many")
    func progress() async throws {
        try await withStore { store in
            let gate = Gate()
            try await withWorker(
                plain, store,
                source: { context in
                    for done in 1...5000 {
                        context.report(Progress(done: Double(done), total: 5000))
                    }
                    await gate.wait()
                    return Fixtures.json("1")
                }
            ) { _ in
                let id = try await store.ask("films")
                try await eventually("progress") {
                    try await store.base.job(id)?.progress?.done == 5000
                }
                gate.open()
                _ = try await store.job(id, in: .succeeded)
            }
            #expect(store.heartbeats.filter { $0.progress != nil }.count < 10)
        }
    }

    @Test("a worker is announced while it lives")
    func presence() async throws {
        try await withStore { store in
            try await withWorker(plain, store, source: { _ in Fixtures.json("1") }) { _ in
                try await eventually("announced") {
                    try await store.queue().workers.map(\.id) == ["w1"]
                }
                let worker = try #require(try await store.queue().workers.first)
                #expect(worker.capacity == 4 && worker.version == "test")
            }
            #expect(try await store.queue().workers.isEmpty)
        }
    }

    @Test("a source that cannot be reached is left alone for a while by all its keys")
    func breaker() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.retry.maximumRetries = 0 })
        try await withStore { store in
            let calls = Tally()
            try await withWorker(
                settings, store,
                source: { _ in
                    calls.enter()
                    throw SourceError("connection refused", isUnreachable: true)
                }
            ) { _ in
                for number in 0..<CircuitBreaker.failureLimit {
                    _ = try await store.job(try await store.ask("r?n=\(number)"), in: .dead)
                }
                let id = try await store.ask("r?n=99")
                let job = try await eventualValue("handed back") {
                    let job = try await store.base.job(id)
                    return job?.runAt == nil ? nil : job
                }
                #expect(job.state == .queued)
            }
            #expect(calls.total == CircuitBreaker.failureLimit)
        }
    }
}

import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Runtime
import TestSupport
import Testing

@testable import Worker

@Suite("A store that fails", .timeLimit(.minutes(1)))
struct FailingStoreTests {
    private let plain = Fixtures.settings(Fixtures.resource("r"))

    @Test("a worker outlives a store that fails every call, and goes on when it is back")
    func outlives() async throws {
        try await withStore { store in
            let id = try await store.ask("r")
            store.decide { _, _ in .fail }
            try await withWorker(plain, store, source: { _ in Fixtures.json("1") }) { _ in
                try await eventually("failed claims") { store.calls("claim") >= 3 }
                store.decide { _, _ in .pass }
                _ = try await store.job(id, in: .succeeded)
            }
        }
    }

    @Test(
        "a publication whose call failed, or whose reply was lost, takes effect once",
        arguments: [HookedStore.Verdict.fail, .loseReply])
    func publishesOnce(verdict: HookedStore.Verdict) async throws {
        try await withStore { store in
            let tally = Tally()
            store.decide { call, number in call == "publish" && number <= 2 ? verdict : .pass }
            try await withWorker(
                plain, store,
                source: { _ in
                    tally.enter()
                    return Fixtures.json("1")
                }
            ) { _ in
                _ = try await store.job(try await store.ask("r"), in: .succeeded)
                try await eventually("third call") { store.calls("publish") == 3 }
            }
            #expect(tally.total == 1)
            #expect(try await store.status("r").version == 1)
        }
    }

    @Test("only the first call of a publication claims")
    func claimsOnce() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r")) { $0.worker.concurrency = 1 }
        try await withStore { store in
            let first = try await store.ask("r?n=1")
            let second = try await store.ask("r?n=2")
            store.decide { call, number in call == "publish" && number == 1 ? .fail : .pass }
            try await withWorker(settings, store, source: { _ in Fixtures.json("1") }) { _ in
                _ = try await store.job(first, in: .succeeded)
                let job = try await store.job(second, in: .succeeded)
                #expect(job.attempt == 1)
            }
        }
    }

    @Test("a failure that cannot be told is told again")
    func failsAgain() async throws {
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.retry.maximumRetries = 0 })
        try await withStore { store in
            store.decide { call, number in call == "fail" && number <= 2 ? .loseReply : .pass }
            try await withWorker(settings, store, source: { _ in throw SourceError("x") }) { _ in
                _ = try await store.job(try await store.ask("r"), in: .dead)
                try await eventually("told") { store.calls("fail") == 3 }
            }
            #expect(try await store.status("r").consecutiveFailures == 1)
        }
    }

    @Test("a payload that the store never takes becomes a failed attempt, not a stuck slot")
    func neverTaken() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.retry.maximumRetries = 0 })
        try await withStore { store in
            store.decide { call, _ in call == "publish" ? .fail : .pass }
            store.answerHeartbeats { $0.map { _ in true } }
            try await withWorker(
                settings, store, pace: clock.pace, source: { _ in Fixtures.json("1") }
            ) { _ in
                let id = try await store.ask("r")
                try await clock.advance(by: .seconds(1)) { store.calls("fail") > 0 }
                let job = try await store.job(id, in: .dead)
                #expect(job.error?.contains("could not be published") == true)
            }
        }
    }

    @Test("shutting down while the store is away ends within the sources' grace")
    func shutsDown() async throws {
        let clock = ManualPace()
        try await withStore { store in
            let tally = Tally()
            try await store.ask("r")
            try await withWorker(
                plain, store, pace: clock.pace,
                source: { _ in
                    tally.enter()
                    return try await untilCancelled()
                }
            ) { trigger in
                try await eventually("running") { tally.total == 1 }
                store.decide { _, _ in .fail }
                trigger.trigger()
                try await clock.advance(by: .seconds(1), within: .seconds(60)) {
                    store.calls("withdraw") > 0
                }
            }
        }
    }
}

import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import TestSupport
import Testing

@testable import Worker

@Suite("what a worker measures")
struct TimesTests {
    @Test("reaches the store, once, also after a call that failed")
    func told() async throws {
        let store = HookedStore(MemoryRefreshStore())
        store.decide { name, count in name == "recordTimes" && count == 1 ? .fail : .pass }
        let settings = Fixtures.settings(Fixtures.resource("films"))
        var pace = Pace.machine(loop: nil)
        let sleep = pace.sleep
        pace.sleep = { await sleep(min($0, .milliseconds(20))) }
        try await withWorker(
            settings, store, pace: pace, source: { _ in Fixtures.json("[1]") }
        ) { _ in
            for _ in 0..<2 {
                let id = try await store.ask("films")
                _ = try await store.job(id, in: .succeeded)
            }
            try await eventually("both are told") {
                let times = try await store.observe(activeWindow: .zero).times
                let films = times[Fixtures.key("films").resource] ?? [:]
                return StageTimes.Stage.allCases.allSatisfy {
                    films[$0]?.counts.reduce(0, +) == 2
                }
            }
        }
    }
}

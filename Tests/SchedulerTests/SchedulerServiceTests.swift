import Coordination
import DutySupport
import FreshetModel
import Runtime
import TestSupport
import Testing

@testable import Scheduler

@Suite("Scheduler", .timeLimit(.minutes(1)))
struct SchedulerServiceTests {
    /// A Monday, 05:59:30 UTC.
    private let monday = Timestamp(milliseconds: 1_795_413_570_000)

    private func withScheduler(
        _ settings: Settings, _ store: HookedStore, _ clock: ManualPace, id: String = "s1",
        _ body: () async throws -> Void
    ) async throws {
        let scheduler = SchedulerService(settings: settings, store: store, id: id, pace: clock.pace)
        let trigger = ShutdownTrigger()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await ShutdownTrigger.$current.withValue(trigger) { try await scheduler.run() }
            }
            do {
                try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            trigger.trigger()
            try await group.waitForAll()
        }
    }

    /// Runs the job that waits for `key`, and brings `text`.
    private func publish(
        _ key: String, _ store: HookedStore, freshFor: FreshFor = .never
    ) async throws {
        let claim = try await eventualValue("a job of \(key)") {
            try await store.base.claim(ClaimRequest(worker: "w")).claims.first
        }
        #expect(claim.key.text == key)
        let payload = Payload(bytes: Array("[]".utf8), contentType: "application/json")
        _ = try await store.base.publish(
            Publication(
                claim: claim, content: .payload(payload), freshFor: freshFor, keepFor: nil),
            claimNext: nil)
    }

    private func requests(_ key: String, _ store: HookedStore) -> Int {
        store.requests.filter { $0.key.text == key }.count
    }

    @Test("every: at once when nothing is kept, then from the last success")
    func every() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(
            Fixtures.resource("r") {
                $0.schedule = .every(.seconds(3600))
                $0.priority = .high
            })
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            try await withScheduler(settings, store, clock) {
                try await eventually("asked") { requests("r", store) == 1 }
                #expect(store.requests.first?.origin == .schedule)
                #expect(store.requests.first?.priority == .high)
                try await publish("r", store)
                let published = clock.now
                try await clock.advance(by: .seconds(10), within: .seconds(4000)) {
                    requests("r", store) == 2
                }
                #expect(clock.now - published >= .seconds(3600))
            }
        }
    }

    @Test("cron: slots missed while nobody led are made up once")
    func cron() async throws {
        let clock = ManualPace()
        let expression = try CronExpression("0 6 * * 1")
        let settings = Fixtures.settings(
            Fixtures.resource("r") { $0.schedule = .cron(expression) })
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            try await withScheduler(settings, store, clock) {
                try await clock.advance(by: .seconds(1)) { requests("r", store) == 1 }
                #expect(clock.now >= .seconds(1030))
                try await publish("r", store)
            }
            clock.advance(by: .seconds(21 * 86_400))
            try await withScheduler(settings, store, clock, id: "s2") {
                try await clock.advance(by: .milliseconds(200)) { requests("r", store) == 2 }
                try await publish("r", store)
                let ticks = store.calls("lead")
                try await clock.advance(by: .milliseconds(500)) { store.calls("lead") > ticks + 5 }
                #expect(requests("r", store) == 2, "three were missed, one is made up")
            }
            let fired = try #require(try await store.base.lastFired(Fixtures.name("r")))
            #expect(fired > monday + .seconds(21 * 86_400))
        }
    }

    @Test("a cron schedule that was never seen does not run at once")
    func firstSight() async throws {
        let clock = ManualPace()
        let expression = try CronExpression("0 5 * * *")
        let settings = Fixtures.settings(
            Fixtures.resource("r") { $0.schedule = .cron(expression) })
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            try await withScheduler(settings, store, clock) {
                try await clock.advance(by: .milliseconds(500)) { store.calls("lead") > 5 }
                #expect(store.requests.isEmpty)
            }
            #expect(try await store.base.lastFired(Fixtures.name("r")) != nil)
        }
    }

    @Test("the monitor queues stale keys that are read, a batch per tick, and no others")
    func monitor() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r") { $0.priority = .low }) {
            $0.refresh.batchSize = 2
            $0.refresh.checkInterval = .seconds(30)
            $0.refresh.activeWindow = .seconds(3600)
        }
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            for number in 0..<4 {
                let key = "r?n=\(number)"
                _ = try await store.base.request(RefreshRequest(key: Fixtures.key(key)))
                try await publish(key, store, freshFor: .duration(.seconds(7200)))
            }
            // Nobody reads number 3 for more than the active window.
            clock.advance(by: .seconds(7000))
            try await store.base.recordReads(
                (0..<3).map { Fixtures.key("r?n=\($0)") }, counts: [:])
            try await withScheduler(settings, store, clock) {
                try await clock.advance(by: .seconds(5)) { store.calls("staleKeys") >= 2 }
                #expect(store.requests.isEmpty, "nothing is stale yet")
                try await clock.advance(by: .seconds(5)) { store.requests.count >= 2 }
                let first = store.requests
                #expect(first.count == 2)
                #expect(first.allSatisfy { $0.origin == .monitor && $0.priority == .low })
                #expect(first.allSatisfy { $0.seenVersion == 1 })
                try await clock.advance(by: .seconds(5)) { store.requests.count >= 3 }
                #expect(Set(store.requests.map(\.key.text)) == ["r?n=0", "r?n=1", "r?n=2"])
            }
        }
    }

    @Test("a key that is read is found behind any number that nobody reads")
    func backlog() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r")) {
            $0.refresh.batchSize = 5
            $0.refresh.checkInterval = .seconds(30)
            $0.refresh.activeWindow = .seconds(60)
        }
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            for number in 0...450 {
                let key = "r?n=\(number)"
                _ = try await store.base.request(RefreshRequest(key: Fixtures.key(key)))
                try await publish(key, store, freshFor: .duration(.seconds(3600)))
                clock.advance(by: .milliseconds(1))
            }
            clock.advance(by: .seconds(7200))
            try await store.base.recordReads([Fixtures.key("r?n=450")], counts: [:])
            let health = StoreHealth(role: "scheduler")
            let elector = Elector(
                id: "a", store: store, pace: clock.pace, health: health, onElection: [])
            let monitor = StalenessMonitor(
                settings: settings, store: store, elector: elector, pace: clock.pace,
                health: health, elected: Nudge())
            var aside = SetAside()
            #expect(try await monitor.tick(&aside) == .finished)
            #expect(store.requests.map(\.key.text) == ["r?n=450"])
            #expect(store.calls("staleKeys") == 5)
            // They are out of the way now.
            _ = try await monitor.tick(&aside)
            #expect(store.calls("staleKeys") == 6)
        }
    }

    @Test("a batch of more keys than one look sees is queued whole")
    func largeBatch() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r")) {
            $0.refresh.batchSize = 250
            $0.refresh.activeWindow = .zero
        }
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            for number in 0..<300 {
                let key = "r?n=\(number)"
                _ = try await store.base.request(RefreshRequest(key: Fixtures.key(key)))
                try await publish(key, store, freshFor: .always)
            }
            let health = StoreHealth(role: "scheduler")
            let elector = Elector(
                id: "a", store: store, pace: clock.pace, health: health, onElection: [])
            let monitor = StalenessMonitor(
                settings: settings, store: store, elector: elector, pace: clock.pace,
                health: health, elected: Nudge())
            var aside = SetAside()
            _ = try await monitor.tick(&aside)
            #expect(store.requests.count == 250)
        }
    }

    @Test("keys of resources that are not configured do not fill the batch")
    func unconfigured() async throws {
        let clock = ManualPace()
        let settings = Fixtures.settings(Fixtures.resource("r")) {
            $0.refresh.batchSize = 1
            $0.refresh.activeWindow = .zero
        }
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            for key in ["gone?n=1", "gone?n=2", "r"] {
                _ = try await store.base.request(RefreshRequest(key: Fixtures.key(key)))
                try await publish(key, store, freshFor: .always)
                clock.advance(by: .seconds(1))
            }
            try await withScheduler(settings, store, clock) {
                try await clock.advance(by: .seconds(10)) { !store.requests.isEmpty }
                #expect(store.requests.map(\.key.text) == ["r"])
            }
        }
    }

    @Test("one of several leads; when it resigns or dies another follows within 10 seconds")
    func leaders() async throws {
        let clock = ManualPace()
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            // A leader that was killed: it never resigns.
            #expect(try await store.base.lead("ghost", lease: Elector.lease))
            let died = clock.now
            let health = StoreHealth(role: "scheduler")
            let electors = ["a", "b"].map {
                Elector(id: $0, store: store, pace: clock.pace, health: health, onElection: [])
            }
            await withTaskGroup { group in
                for elector in electors { group.addTask { await elector.run() } }
                do {
                    try await clock.advance { electors.contains { $0.leads } }
                    #expect(clock.now - died <= .seconds(10))
                    #expect(electors.filter(\.leads).count == 1)
                    let first = try #require(electors.first { $0.leads })
                    let other = try #require(electors.first { $0 !== first })
                    try await clock.advance { store.calls("lead") > 60 }
                    #expect(first.leads && !other.leads, "a leader stays")
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
            let first = try #require(electors.first { $0.leads })
            await first.resign()
            #expect(!first.leads)
            #expect(try await store.base.lead("next", lease: .seconds(5)))
        }
    }

    @Test("a leader that cannot reach the store does not lead past its lease")
    func cutOff() async throws {
        let clock = ManualPace()
        try await withStore(clock: clock.storeClock(from: monday)) { store in
            let elector = Elector(
                id: "a", store: store, pace: clock.pace, health: StoreHealth(role: "scheduler"),
                onElection: [])
            await withTaskGroup { group in
                group.addTask { await elector.run() }
                do {
                    try await eventually("leads") { elector.leads }
                    let led = clock.now
                    store.decide { _, _ in .fail }
                    try await clock.advance { !elector.leads }
                    #expect(clock.now - led <= Elector.lease + .milliseconds(100))
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
        }
    }
}

import Coordination
import DutySupport
import FoundationEssentials
import FreshetModel
import RefreshSources
import TestSupport
import Testing

@testable import Worker

@Suite("Watched directories", .timeLimit(.minutes(1)))
struct WatchDutyTests {
    private func resource(_ root: String) -> Resource {
        var definition = DirectorySource(root: root)
        definition.watch = true
        return Resource(name: Fixtures.name("files"), source: .directory(definition))
    }

    private func duty(_ store: HookedStore, _ clock: ManualPace) throws -> WatchDuty {
        let settings = Fixtures.settings(resource("/nowhere"))
        return try #require(
            WatchDuty.all(
                settings, store: store, pace: clock.pace, health: StoreHealth(role: "worker")
            ).first)
    }

    @Test("a change is asked for with its part, until the store hears it")
    func asks() async throws {
        try await withStore { store in
            let clock = ManualPace()
            let duty = try duty(store, clock)
            store.decide { call, number in call == "request" && number < 3 ? .fail : .pass }
            let (events, feed) = AsyncStream.makeStream(of: DirectoryWatcher.Event.self)
            feed.yield(.changed(.parts(["a"])))
            feed.finish()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await duty.heed(events) }
                try await clock.advance { store.calls("request") == 3 }
                try await group.waitForAll()
            }
            #expect(try await store.status("files").state == .queued)
            #expect(store.requests.allSatisfy { $0.scope == .parts(["a"]) })
        }
    }

    @Test("a change while the job runs is followed by a rerun")
    func reruns() async throws {
        try await withStore { store in
            let duty = try duty(store, ManualPace())
            try await store.ask("files")
            let claim = try #require(
                try await store.base.claim(ClaimRequest(worker: "w")).claims.first)
            let (events, feed) = AsyncStream.makeStream(of: DirectoryWatcher.Event.self)
            feed.yield(.changed(.all))
            feed.finish()
            await duty.heed(events)
            _ = try await store.base.publish(
                Publication(
                    claim: claim,
                    content: .payload(Payload(bytes: [], contentType: "text/plain")),
                    freshFor: .never, keepFor: nil), claimNext: nil)
            #expect(try await store.status("files").state == .queued)
        }
    }

    @Test("a worker refreshes a directory in which a file appears")
    func appears() async throws {
        let root = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(root) }
        let settings = Fixtures.settings(resource(root))
        let path = root + "/new.txt"
        try await withStore { store in
            try await withWorker(settings, store, source: { _ in Fixtures.json("[]") }) { _ in
                // Written again after a while, because the watch may not have begun.
                for _ in 0..<5 {
                    #expect(FileManager.default.createFile(atPath: path, contents: nil))
                    do {
                        try await eventually("a refresh", deadline: .seconds(3)) {
                            try await store.status("files").version > 0
                        }
                        break
                    } catch is NotInTime {
                        continue
                    }
                }
                let status = try await store.status("files")
                #expect(status.payload?.facts.itemCount == 0)
            }
        }
    }

    @Test("a resource without watch, or of many keys, is not watched")
    func others() {
        var plain = resource("/nowhere")
        plain.source = .directory(DirectorySource(root: "/nowhere"))
        var many = resource("/nowhere")
        many.parameters = [ParameterRule(name: "city", pattern: ".*")]
        for resource in [plain, many] {
            let duties = WatchDuty.all(
                Fixtures.settings(resource), store: MemoryRefreshStore(),
                pace: ManualPace().pace, health: StoreHealth(role: "worker"))
            #expect(duties.isEmpty)
        }
    }
}

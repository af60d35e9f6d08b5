import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("upkeep")
    struct Upkeep {
        private func stale(
            _ scene: Scene, limit: Int = 100, window: Duration = .zero, coolDown: Duration = .zero
        ) async throws -> [String] {
            try await scene.store.staleKeys(
                limit: limit, activeWindow: window, coolDown: coolDown
            ).keys.map { "\($0.key.text) \($0.version)" }
        }

        @Test("stale keys without a job are found, oldest first", arguments: StoreKind.available)
        func staleKeys(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 1) { scene in
                try await scene.fill(["c", "c", "a", "b"])
                try await scene.fill(["later"], fresh: .duration(.seconds(500)))
                try await scene.fill(["never"], fresh: .never)
                #expect(try await stale(scene).isEmpty)
                scene.advance(.seconds(60))
                #expect(try await stale(scene) == ["c 2", "a 1", "b 1"])
                #expect(try await stale(scene, limit: 2) == ["c 2", "a 1"])
                let found = try await scene.store.staleKeys(
                    limit: 2, activeWindow: .zero, coolDown: .zero)
                #expect(found.looked == 2)
                try await scene.ask("a") { $0.delay = .seconds(5) }
                #expect(try await stale(scene) == ["c 2", "b 1"])
                scene.advance(.seconds(5))
                try await scene.publish(scene.claim())
                #expect(try await stale(scene) == ["c 2", "b 1"])
                scene.advance(.seconds(60))
                #expect(try await stale(scene) == ["c 2", "b 1", "a 2"])
            }
        }

        @Test("how stale what is read has become, per resource", arguments: StoreKind.available)
        func observedStaleness(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func stale(_ window: Duration) async throws -> [String: Int64] {
                    let found = try await scene.store.observe(activeWindow: window).stale
                    return Dictionary(
                        uniqueKeysWithValues: found.map {
                            ($0.key.text, $0.value.components.seconds)
                        })
                }
                try await scene.fill(["c", "e?n=1", "e?n=2"], fresh: .duration(.seconds(60)))
                #expect(try await stale(.zero).isEmpty)
                scene.advance(.seconds(100))
                #expect(try await stale(.zero) == ["c": 40, "e": 40])
                try await scene.store.recordReads([makeKey("e?n=2")], counts: [:])
                #expect(try await stale(.seconds(30)) == ["e": 40])
                try await scene.ask("c")
                #expect(try await stale(.zero) == ["e": 40])
            }
        }

        @Test("times of all workers add up", arguments: StoreKind.available)
        func times(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let resource = try makeKey("e").resource
                var times = StageTimes()
                times.counts[0] = 2
                times.counts[10] = 1
                times.sum = 2_000_000.5
                for _ in 0..<2 {
                    try await scene.store.recordTimes([resource: [.source: times, .wait: times]])
                }
                let found = try await scene.store.observe(activeWindow: .zero).times
                #expect(found.count == 1 && found[resource]?.count == 2)
                let source = try #require(found[resource]?[.source])
                #expect(source.counts[0] == 4 && source.counts[10] == 2)
                #expect(source.counts.reduce(0, +) == 6 && source.sum == 4_000_001)
            }
        }

        @Test("what nobody reads is left out until it is read", arguments: StoreKind.available)
        func activeWindow(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "b"], keep: nil)
                let key = try makeKey("a")
                scene.advance(.seconds(3000))
                try await scene.store.recordReads([key], counts: [:])
                scene.advance(.seconds(1000))
                #expect(try await stale(scene, window: .seconds(3600)) == ["a 1"])
                scene.advance(.seconds(3000))
                #expect(try await stale(scene, window: .seconds(3600)).isEmpty)
                // Left out: not even looked at.
                let found = try await scene.store.staleKeys(
                    limit: 9, activeWindow: .seconds(3600), coolDown: .zero)
                #expect(found.looked == 0)
                try await scene.store.recordReads([key], counts: [:])
                #expect(try await stale(scene, window: .seconds(3600)) == ["a 1"])
            }
        }

        @Test(
            "a failed key is left out until its cool-down has passed",
            arguments: StoreKind.available)
        func coolDown(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"])
                scene.advance(.seconds(60))
                try await scene.ask("a")
                try await scene.fail(scene.claim(), retryAfter: nil)
                #expect(try await stale(scene, coolDown: .seconds(30)).isEmpty)
                scene.advance(.seconds(29))
                #expect(try await stale(scene, coolDown: .seconds(30)).isEmpty)
                scene.advance(.seconds(1))
                #expect(try await stale(scene, coolDown: .seconds(30)) == ["a 1"])
            }
        }

        @Test("stale keys of all partitions come oldest first", arguments: StoreKind.available)
        func stalePartitions(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 4) { scene in
                let names = (0..<12).map { "k?n=\($0)" }
                for name in names {
                    let key = try makeKey(name)
                    try await scene.ask(name)
                    let request = ClaimRequest(worker: "w", partition: key.partition(of: 4))
                    let claim = try #require(await scene.store.claim(request).claims.first)
                    try await scene.publish(claim)
                    scene.advance(.milliseconds(1))
                }
                scene.advance(.seconds(60))
                #expect(try await stale(scene) == names.map { "\($0) 1" })
                #expect(try await stale(scene, limit: 5) == names.prefix(5).map { "\($0) 1" })
            }
        }

        @Test("one scheduler leads, until it resigns or is silent", arguments: StoreKind.available)
        func leader(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func lead(_ id: String) async throws -> Bool {
                    try await scene.store.lead(id, lease: .seconds(10))
                }
                #expect(try await lead("s1"))
                #expect(try await lead("s2") == false)
                scene.advance(.seconds(9))
                #expect(try await lead("s1"))
                scene.advance(.seconds(9))
                #expect(try await lead("s2") == false)
                scene.advance(.seconds(1))
                #expect(try await lead("s2"))
                #expect(try await lead("s1") == false)
                try await scene.store.resign("s1")
                #expect(try await lead("s1") == false)
                try await scene.store.resign("s2")
                #expect(try await lead("s1"))
                // A clock that steps back does not make a leader for ever.
                scene.advance(.seconds(-86_400))
                #expect(try await lead("s2"))
            }
        }

        @Test("a schedule fires once per slot, in order", arguments: StoreKind.available)
        func fire(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let name = try #require(ResourceName("a"))
                let other = try #require(ResourceName("a.b"))
                let slot = scene.clock.now
                #expect(try await scene.store.lastFired(name) == nil)
                #expect(try await scene.store.fire(name, slot: slot))
                #expect(try await scene.store.fire(name, slot: slot) == false)
                #expect(try await scene.store.fire(name, slot: slot + .seconds(-1)) == false)
                #expect(try await scene.store.lastFired(name) == slot)
                #expect(try await scene.store.fire(name, slot: slot + .seconds(1)))
                #expect(try await scene.store.lastFired(name) == slot + .seconds(1))
                #expect(try await scene.store.lastFired(other) == nil)
                #expect(try await scene.store.fire(other, slot: slot))
            }
        }

        @Test("refreshes and reads are counted per resource", arguments: StoreKind.available)
        func statistics(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 2) { scene in
                let events = try #require(ResourceName("events"))
                let other = try #require(ResourceName("other.one"))
                for name in ["events?n=1", "events?n=2"] {
                    let key = try makeKey(name)
                    try await scene.ask(name)
                    let request = ClaimRequest(worker: "w", partition: key.partition(of: 2))
                    let claim = try #require(await scene.store.claim(request).claims.first)
                    scene.advance(.seconds(2))
                    try await scene.publish(claim, "[1,2,3]")
                }
                let last = scene.clock.now
                try await scene.ask("events?n=1")
                let partition = try makeKey("events?n=1").partition(of: 2)
                let request = ClaimRequest(worker: "w", partition: partition)
                let claim = try #require(await scene.store.claim(request).claims.first)
                try await scene.fail(claim)
                var counts = ReadCounts()
                counts.hits = 5
                counts.misses = 2
                try await scene.store.recordReads(
                    [], counts: [events: counts, other: ReadCounts()])
                counts = ReadCounts()
                counts.staleHits = 3
                counts.hits = 1
                try await scene.store.recordReads([], counts: [events: counts])

                let all = try await scene.store.statistics()
                #expect(all.count == 1)
                let found = try #require(all[events])
                #expect(found.totalRefreshes == 3)
                #expect(found.successfulRefreshes == 2)
                #expect(found.failedRefreshes == 1)
                #expect(found.totalDuration == .seconds(4))
                #expect(found.lastRefresh == last)
                #expect(found.activeKeys == 2)
                #expect(found.sourceBytes == 14)
                #expect(found.hits == 6)
                #expect(found.misses == 2)
                #expect(found.staleHits == 3)
            }
        }

        @Test(
            "many processes cost about one round in their interval", arguments: StoreKind.available)
        func guarded(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func round() async throws -> Int {
                    try await scene.store.maintain(
                        partition: 0, keepJobs: .seconds(60), atMostEvery: .milliseconds(700)
                    ).promoted
                }
                func due() async throws {
                    try await scene.ask("a") { $0.delay = .milliseconds(1) }
                    scene.advance(.milliseconds(1))
                }
                #expect(try await round() == 0)
                try await due()
                for _ in 0..<5 { #expect(try await round() == 0) }
                scene.advance(.milliseconds(698))
                #expect(try await round() == 0)
                scene.advance(.milliseconds(1))
                #expect(try await round() == 1)
                // Whoever kept the last round is not needed for the next, nor is a clock that goes on.
                try await scene.publish(scene.claim())
                try await due()
                scene.advance(.seconds(-3600))
                #expect(try await round() == 0)
                #expect(try await scene.maintain().promoted == 0)
                scene.advance(.seconds(3600))
                #expect(try await round() == 1)
            }
        }

        @Test("a round that left work over is followed at once", arguments: StoreKind.available)
        func overfull(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for number in 0..<130 {
                    try await scene.ask("a?n=\(number)") { $0.delay = .milliseconds(1) }
                }
                scene.advance(.seconds(1))
                var promoted: [Int] = []
                for _ in 0..<3 {
                    promoted.append(
                        try await scene.store.maintain(
                            partition: 0, keepJobs: .seconds(60), atMostEvery: .seconds(1)
                        ).promoted)
                }
                #expect(promoted == [100, 30, 0])
            }
        }
    }
}

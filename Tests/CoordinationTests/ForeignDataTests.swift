import FreshetModel
import Redis
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("Foreign data in Redis")
    struct ForeignDataTests {
        /// Puts a text where the key's record should be.
        private func spoil(_ key: String, in store: RedisRefreshStore) async throws {
            let space = store.space(of: try makeKey(key))
            _ = try await store.send(["SET", .text(space.record(key)), "x"], routing: space.meta)
        }

        private func ask(_ keys: [String], _ store: RedisRefreshStore) async throws -> [String:
            Bool]
        {
            try await withThrowingTaskGroup(of: (String, Bool).self) { group in
                for key in keys {
                    let request = RefreshRequest(key: try makeKey(key))
                    group.addTask {
                        do throws(RefreshError) {
                            _ = try await store.request(request)
                            return (key, true)
                        } catch {
                            #expect(error.code == .corrupt)
                            return (key, false)
                        }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        }

        @Test("a record of a foreign type fails its own request, claim and publication alone")
        func alone() async throws {
            let clock = HandClock()
            let store = try Scene.redis(partitions: 1) { clock.now }
            defer { store.close() }
            let scene = Scene(store: store, clock: clock)
            try await spoil("b", in: store)
            #expect(
                try await ask(["a", "b", "c", "d"], store) == [
                    "a": true, "b": false, "c": true, "d": true,
                ])
            try await spoil("c", in: store)
            let claims = try await scene.claims()
            #expect(Set(claims.map(\.key.text)) == ["a", "d"])
            try await spoil("d", in: store)
            let published = await withTaskGroup(of: (String, PublicationOutcome?).self) { group in
                for claim in claims {
                    group.addTask { (claim.key.text, try? await scene.publish(claim)) }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(published == ["a": .published(version: 1)])
            #expect(try await scene.store.queue().waiting == 0)
        }

        @Test("what many publish at once is published once each, and evicts as one by one")
        func manyPublications() async throws {
            let clock = HandClock()
            let store = try Scene.redis(partitions: 1) { clock.now }
            defer { store.close() }
            let scene = Scene(store: store, clock: clock)
            for round in 0..<3 {
                let requests = try (0..<60).map {
                    RefreshRequest(key: try makeKey("k?n=\(round * 60 + $0)"))
                }
                _ = try await store.requestMany(requests)
                let claims = try await scene.claims(60)
                let next = ClaimRequest(worker: "w1")
                let claimed = try await withThrowingTaskGroup(of: Int.self) { group in
                    for claim in claims {
                        var publication = scene.publication(claim)
                        publication.maximumVariants = 100
                        group.addTask { [publication] in
                            let answer = try await store.publish(publication, claimNext: next)
                            #expect(answer.outcome == .published(version: 1))
                            return answer.next.claims.count
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(claimed == 0)
                clock.advance(.seconds(1))
            }
            let listed = try await store.keys(cursor: nil, limit: 1000).items
            #expect(listed.count == 100)
            #expect(try await store.statistics().values.first?.successfulRefreshes == 180)
        }

        @Test("the slots of many publications at once are given different jobs")
        func manySlots() async throws {
            let clock = HandClock()
            let store = try Scene.redis(partitions: 1) { clock.now }
            defer { store.close() }
            let scene = Scene(store: store, clock: clock)
            _ = try await store.requestMany(
                try (0..<90).map { RefreshRequest(key: try makeKey("k?n=\($0)")) })
            let next = ClaimRequest(worker: "w1")
            let given = try await withThrowingTaskGroup(of: [Key].self) { group in
                for claim in try await scene.claims(60) {
                    group.addTask {
                        try await store.publish(scene.publication(claim), claimNext: next)
                            .next.claims.map(\.key)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(given.count == 30)
            #expect(Set(given).count == 30)
        }
    }
}

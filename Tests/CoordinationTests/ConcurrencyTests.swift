import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("many at once")
    struct Concurrency {
        @Test(
            "of many who ask at once for one key, one starts the job",
            arguments: StoreKind.available)
        func singleFlight(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let receipts = try await withThrowingTaskGroup(of: RefreshReceipt.self) { group in
                    for _ in 0..<200 { group.addTask { try await scene.ask("a") } }
                    var all: [RefreshReceipt] = []
                    for try await receipt in group { all.append(receipt) }
                    return all
                }
                #expect(receipts.filter { $0.status == .started }.count == 1)
                #expect(Set(receipts.map(\.job.id)).count == 1)
                #expect(try await scene.story() == ["queued a"])
            }
        }

        @Test("workers that claim at once never share a job", arguments: StoreKind.available)
        func claims(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let count = 200
                let requests = try (0..<count).map {
                    RefreshRequest(key: try makeKey("k?n=\($0)"))
                }
                _ = try await scene.store.requestMany(requests)
                let published = try await withThrowingTaskGroup(of: [Key].self) { group in
                    for worker in 0..<8 {
                        group.addTask {
                            var done: [Key] = []
                            while let claim = try await scene.claims(1, worker: "w\(worker)").first
                            {
                                #expect(try await scene.publish(claim) == .published(version: 1))
                                done.append(claim.key)
                            }
                            return done
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(published.count == count)
                #expect(Set(published).count == count)
                #expect(try await scene.store.queue().waiting == 0)
                #expect(try await scene.store.queue().running == 0)
            }
        }

        @Test("many sleepers are woken one by one, and none is forgotten")
        func sleepers() async throws {
            let store = MemoryRefreshStore()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        var claimed = 0
                        while true {
                            let batch = try await store.claim(ClaimRequest(worker: "w\(worker)"))
                            claimed += batch.claims.count
                            if batch.claims.first?.key.resource.text == "stop" { return claimed }
                            for claim in batch.claims {
                                _ = try await store.fail(
                                    AttemptFailure(claim: claim, error: "x", retryAfter: nil))
                            }
                            if batch.claims.isEmpty {
                                try await store.waitForWork(timeout: .seconds(60))
                            }
                        }
                    }
                }
                for index in 0..<500 {
                    _ = try await store.request(RefreshRequest(key: makeKey("k?n=\(index)")))
                }
                // Each worker takes one and leaves; a forgotten one would wait for a minute.
                for index in 0..<20 {
                    let stop = RefreshRequest(
                        key: try makeKey("stop?n=\(index)"), priority: .low)
                    _ = try await store.request(stop)
                }
                var claimed = 0
                for try await count in group { claimed += count }
                #expect(claimed == 520)
            }
        }
    }
}

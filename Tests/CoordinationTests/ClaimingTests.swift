import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("claiming")
    struct Claiming {
        @Test("a claim tells all a worker needs", arguments: StoreKind.available)
        func fields(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["slow", "a?x=1"])
                let asked = scene.clock.now
                let id = try await scene.ask("a?x=1") { $0.priority = .high }.job.id
                try await scene.ask("slow") { $0.priority = .low }
                scene.advance(.seconds(4))
                var request = ClaimRequest(worker: "w7", limit: 5, lease: .seconds(10))
                request.leases = [try #require(ResourceName("slow")): .seconds(90)]
                let batch = try await scene.store.claim(request)
                #expect(batch.waiting == 0)
                #expect(batch.untilNextDue == nil)
                #expect(!batch.isPaused)
                let claim = try #require(batch.claims.first)
                #expect(claim.jobID == id)
                #expect(claim.attempt == 1)
                #expect(claim.priority == .high)
                #expect(claim.lease == .seconds(10))
                #expect(claim.claimedAt == scene.clock.now)
                #expect(claim.readyAt == asked)
                #expect(claim.previous?.version == 1)
                #expect(claim.previous == (try await scene.status("a?x=1").payload))
                #expect(!claim.nonce.isEmpty)
                #expect(batch.claims.last?.lease == .seconds(90))
                #expect(batch.claims.last?.nonce != claim.nonce)

                let status = try await scene.status("a?x=1")
                #expect(status.state == .running)
                #expect(status.job?.worker == "w7")
                #expect(status.job?.position == 0)
                #expect(status.job?.startedAt == scene.clock.now)
                scene.advance(.seconds(2))
                #expect(try await scene.status("a?x=1").job?.duration == .seconds(2))

                // One entry for the batch.
                let told = try await scene.events().suffix(2)
                #expect(told.map(\.kind) == [.running, .running])
                #expect(told.map(\.id.index) == [0, 1])
                #expect(told.map(\.attempt) == [1, 1])
            }
        }

        @Test(
            "a claim takes the lowest, at most as many as asked for", arguments: StoreKind.available
        )
        func limits(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for index in 0..<120 { try await scene.ask("k?n=\(1000 + index)") }
                let first = try await scene.store.claim(ClaimRequest(worker: "w", limit: 3))
                #expect(first.claims.map(\.key.text) == ["k?n=1000", "k?n=1001", "k?n=1002"])
                #expect(first.waiting == 117)
                #expect(try await scene.claims(0).isEmpty)
                #expect(try await scene.claims(1000).count == Limits.scriptMembers)
                #expect(try await scene.claims().count == 17)
                #expect(try await scene.claims().isEmpty)
            }
        }

        @Test("nothing is claimed while paused", arguments: StoreKind.available)
        func pause(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let running = try await scene.claim()
                try await scene.ask("b")
                try await scene.store.setPaused(true)
                let batch = try await scene.store.claim(ClaimRequest(worker: "w"))
                #expect(batch.claims.isEmpty)
                #expect(batch.isPaused)
                #expect(batch.waiting == 1)
                #expect(try await scene.store.queue().isPaused)
                // Running jobs go on, new ones queue.
                #expect(try await scene.publish(running) == .published(version: 1))
                #expect(try await scene.ask("c").job.position == 2)
                try await scene.store.setPaused(false)
                #expect(try await scene.claims().map(\.key.text) == ["b", "c"])
            }
        }

        @Test("live leases never pass the maximum", arguments: StoreKind.available)
        func maximumConcurrent(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for key in ["a", "b", "c", "d"] { try await scene.ask(key) }
                var request = ClaimRequest(worker: "w", limit: 10)
                request.maximumConcurrent = 3
                let first = try await scene.store.claim(request)
                #expect(first.claims.count == 3)
                #expect(try await scene.store.claim(request).claims.isEmpty)
                // An ended lease counts until it is reaped.
                scene.advance(.seconds(60))
                #expect(try await scene.store.claim(request).claims.isEmpty)
                let (_, next) = try await scene.store.publish(
                    scene.publication(first.claims[0]), claimNext: request)
                #expect(next.claims.map(\.key.text) == ["d"])
                request.maximumConcurrent = 2
                #expect(try await scene.store.claim(request).claims.isEmpty)
            }
        }

        @Test(
            "fences grow over every way back, and over purges and clocks",
            arguments: StoreKind.available)
        func fences(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                var fences: [Int64] = []
                func claim() async throws -> Claim {
                    let claim = try await scene.claim()
                    fences.append(claim.fence)
                    return claim
                }
                try await scene.ask("a")
                #expect(try await scene.store.handBack(claim(), delay: .zero))
                try await scene.fail(claim(), retryAfter: .zero)
                _ = try await claim()
                scene.advance(.seconds(11))
                try await scene.maintain()
                try await scene.publish(claim())
                try await scene.purge("a")
                scene.advance(.seconds(-3600))
                let last = try await scene.ask("a").job.id
                let stopped = try await claim()
                #expect(try await scene.cancel(last) == .stopped)
                try await scene.store.release(stopped)
                try await scene.ask("a")
                _ = try await claim()
                #expect(fences == fences.sorted())
                #expect(Set(fences).count == fences.count)
            }
        }

        @Test("a heartbeat renews the lease by its length", arguments: StoreKind.available)
        func heartbeat(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim(lease: .seconds(10))
                for _ in 0..<5 {
                    scene.advance(.seconds(9))
                    #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [true])
                    #expect(try await scene.maintain().reaped.isEmpty)
                }
                // Late, but nobody reaped it: still held.
                scene.advance(.seconds(60))
                #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [true])
                #expect(try await scene.maintain().reaped.isEmpty)
                scene.advance(.seconds(10))
                #expect(try await scene.maintain().reaped == [claim.jobID])
                #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [false])
                let next = try await scene.claim()
                #expect(
                    try await scene.store.heartbeat([
                        Heartbeat(claim: claim), Heartbeat(claim: next),
                    ])
                        == [false, true])
                #expect(try await scene.publish(next) == .published(version: 1))
                #expect(try await scene.store.heartbeat([Heartbeat(claim: next)]) == [false])
                #expect(try await scene.store.heartbeat([]).isEmpty)
            }
        }

        @Test("a heartbeat carries progress", arguments: StoreKind.available)
        func progress(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                #expect(try await scene.status("a").job?.progress == nil)
                let progress = Progress(done: 40, total: 100, message: "page 4\t\"ä\"\n")
                _ = try await scene.store.heartbeat([Heartbeat(claim: claim, progress: progress)])
                #expect(try await scene.status("a").job?.progress == progress)
                #expect(try await scene.store.job(claim.jobID)?.progress == progress)
                let event = try #require(await scene.events().last)
                #expect(event.kind == .progress)
                #expect(event.progress == progress)
                #expect(event.jobID == claim.jobID)
                // Without news the last progress stays, and nobody is told.
                _ = try await scene.store.heartbeat([Heartbeat(claim: claim)])
                #expect(try await scene.status("a").job?.progress == progress)
                #expect(try await scene.events().last == event)

                let wild = Progress(
                    done: .infinity, total: .nan, message: String(repeating: "x", count: 2000))
                _ = try await scene.store.heartbeat([Heartbeat(claim: claim, progress: wild)])
                let stored = try #require(await scene.status("a").job?.progress)
                #expect(stored.done == 0)
                #expect(stored.total == nil)
                #expect(stored.message?.utf8.count == Limits.progressMessageLength)
                // An ended attempt has none.
                try await scene.fail(claim)
                #expect(try await scene.status("a").job?.progress == nil)
            }
        }

        @Test(
            "partitions are claimed one by one, heartbeats cover all",
            arguments: StoreKind.available)
        func partitions(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 4) { scene in
                for index in 0..<40 { try await scene.ask("k?n=\(index)") }
                var claims: [Claim] = []
                for partition in 0..<4 {
                    let batch = try await scene.store.claim(
                        ClaimRequest(worker: "w", partition: partition, limit: 100))
                    #expect(batch.claims.allSatisfy { $0.key.partition(of: 4) == partition })
                    claims += batch.claims
                }
                #expect(Set(claims.map(\.key)).count == 40)
                claims.sort { $0.key < $1.key }
                #expect(
                    try await scene.store.heartbeat(claims.map { Heartbeat(claim: $0) })
                        == Array(repeating: true, count: 40))
            }
        }
    }
}

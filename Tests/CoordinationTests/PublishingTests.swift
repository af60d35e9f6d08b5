import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("publishing")
    struct Publishing {
        @Test("payload, record, job and event change together", arguments: StoreKind.available)
        func publish(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a") { $0.priority = .low }
                let started = scene.clock.now
                let claim = try await scene.claim(worker: "w3")
                scene.advance(.milliseconds(1500))
                var payload = Payload(bytes: Array("[1,2,3]".utf8), contentType: "text/x")
                payload.encoding = .zstd
                payload.facts = PayloadFacts()
                payload.facts.sizeBytes = 90
                payload.facts.itemCount = 3
                payload.facts.collectionsCount = 2
                payload.facts.fileCount = 12
                payload.facts.contentTag = "abc"
                payload.facts.sourceETag = "W/\"5\""
                payload.facts.sourceLastModified = "Fri, 28 Nov 2025 10:30:00 GMT"
                let publication = Publication(
                    claim: claim, content: .payload(payload), freshFor: .duration(.seconds(60)),
                    keepFor: .seconds(600))
                let outcome = try await scene.store.publish(publication, claimNext: nil)
                #expect(outcome.outcome == .published(version: 1))
                #expect(outcome.next == ClaimBatch())

                let now = scene.clock.now
                let read = try await scene.store.read(claim.key, held: nil)
                #expect(read.bytes == payload.bytes)
                let expected = PayloadMetadata(
                    version: 1, contentType: "text/x", encoding: .zstd, storedBytes: 7,
                    facts: payload.facts, refreshedAt: now, modifiedAt: now,
                    freshUntil: now + .seconds(60), keptUntil: now + .seconds(600))
                #expect(read.status.payload == expected)
                #expect(read.status.version == 1)
                #expect(read.status.state == .idle)
                #expect(read.status.job == nil)
                #expect(read.status.lastRefresh == now)
                #expect(read.status.lastDuration == .milliseconds(1500))
                #expect(read.status.sourceOnline)

                let job = try #require(await scene.store.job(claim.jobID))
                #expect(job.state == .succeeded)
                #expect(job.version == 1)
                #expect(job.attempt == 1)
                #expect(job.priority == .low)
                #expect(job.worker == "w3")
                #expect(job.startedAt == started)
                #expect(job.finishedAt == now)
                #expect(job.duration == .milliseconds(1500))
                #expect(job.position == nil)
                #expect(job.estimatedRemaining == nil)

                let event = try #require(await scene.events().last)
                #expect(event.kind == .updated)
                #expect(event.version == 1)
                #expect(event.jobID == claim.jobID)
                #expect(!event.isRenewal)
            }
        }

        @Test(
            "a repeated publication has the same answer and no effect",
            arguments: StoreKind.available)
        func idempotent(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                let publication = scene.publication(claim)
                for _ in 0..<3 {
                    let outcome = try await scene.store.publish(publication, claimNext: nil)
                    #expect(outcome.outcome == .published(version: 1))
                    scene.advance(.seconds(1))
                }
                // Also when the key was asked for and claimed anew meanwhile.
                try await scene.ask("a")
                _ = try await scene.claim()
                #expect(
                    try await scene.store.publish(publication, claimNext: nil).outcome
                        == .published(version: 1))
                #expect(try await scene.story().filter { $0 == "updated a" }.count == 1)
                #expect(try await scene.status("a").version == 1)
                let resource = try #require(ResourceName("a"))
                #expect(try await scene.store.statistics()[resource]?.successfulRefreshes == 1)
                // Published is not failed.
                #expect(try await scene.fail(claim) == .leaseLost)
                #expect(try await scene.store.handBack(claim, delay: .zero) == false)
            }
        }

        @Test("a worker that lost its lease cannot publish", arguments: StoreKind.available)
        func stale(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let old = try await scene.claim()
                scene.advance(.seconds(11))
                try await scene.maintain()
                #expect(try await scene.publish(old, "old") == .leaseLost)
                let new = try await scene.claim(worker: "w2")
                #expect(try await scene.publish(old, "old") == .leaseLost)
                #expect(try await scene.renew(old) == .leaseLost)
                #expect(try await scene.fail(old) == .leaseLost)
                #expect(try await scene.store.handBack(old, delay: .zero) == false)
                var forged = new
                forged.nonce = old.nonce
                #expect(try await scene.publish(forged, "old") == .leaseLost)
                #expect(try await scene.publish(new, "new") == .published(version: 1))
                #expect(try await scene.publish(old, "old") == .leaseLost)
                #expect(try await scene.bytes("a") == "new")
            }
        }

        @Test(
            "a lease past its deadline that nobody reaped still publishes",
            arguments: StoreKind.available)
        func late(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                scene.advance(.seconds(100))
                #expect(try await scene.publish(claim) == .published(version: 1))
                #expect(try await scene.maintain() == MaintenanceReport())
            }
        }

        @Test(
            "a renewal keeps version and content, and renews the times",
            arguments: StoreKind.available)
        func renewal(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"])
                let before = try #require(await scene.status("a").payload)
                scene.advance(.seconds(100))
                try await scene.ask("a")
                let claim = try await scene.claim()
                for _ in 0..<2 {
                    #expect(
                        try await scene.renew(
                            claim, fresh: .duration(.seconds(5)), keep: .seconds(5000))
                            == .published(version: 1))
                }
                let after = try #require(await scene.status("a").payload)
                var expected = before
                expected.refreshedAt = scene.clock.now
                expected.freshUntil = scene.clock.now + .seconds(5)
                expected.keptUntil = scene.clock.now + .seconds(5000)
                #expect(after == expected)
                #expect(try await scene.bytes("a") == "[1,2]")
                #expect(try await scene.status("a").lastRefresh == scene.clock.now)
                #expect(try await scene.store.job(claim.jobID)?.state == .succeeded)
                let updates = try await scene.events().filter { $0.kind == .updated }
                #expect(updates.map(\.isRenewal) == [false, true])
                #expect(updates.map(\.version) == [1, 1])
            }
        }

        @Test(
            "nothing kept is nothing to renew, and the attempt can still fail",
            arguments: StoreKind.available)
        func nothingToRenew(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("cold")
                let cold = try await scene.claim()
                #expect(try await scene.renew(cold) == .nothingToRenew)
                #expect(try await scene.status("cold").state == .running)
                #expect(try await scene.fail(cold, retryAfter: nil) == .dead)

                try await scene.fill(["gone"], keep: .seconds(600))
                scene.advance(.seconds(600))
                try await scene.ask("gone")
                let gone = try await scene.claim()
                #expect(gone.previous == nil)
                #expect(try await scene.renew(gone) == .nothingToRenew)
                #expect(try await scene.publish(gone) == .published(version: 2))
            }
        }

        @Test("the time of change follows the content", arguments: StoreKind.available)
        func modified(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func refresh(_ text: String) async throws -> PayloadMetadata {
                    scene.advance(.seconds(1))
                    try await scene.ask("a")
                    try await scene.publish(scene.claim(), text)
                    return try #require(await scene.status("a").payload)
                }
                let first = try await refresh("one")
                let same = try await refresh("one")
                #expect(same.version == 2)
                #expect(same.modifiedAt == first.modifiedAt)
                #expect(same.refreshedAt > first.refreshedAt)
                let other = try await refresh("two")
                #expect(other.modifiedAt == scene.clock.now)
                try await scene.purge("a")
                #expect(try await refresh("two").modifiedAt == scene.clock.now)
            }
        }

        @Test(
            "payloads may never or always be stale, and kept for good",
            arguments: StoreKind.available)
        func policies(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["never"], fresh: .never, keep: nil)
                try await scene.fill(["always"], fresh: .always)
                let never = try #require(await scene.status("never").payload)
                #expect(never.freshUntil == nil)
                #expect(never.keptUntil == nil)
                let always = try #require(await scene.status("always").payload)
                #expect(always.freshUntil == always.refreshedAt)
                scene.advance(.seconds(10 * 365 * 86_400))
                try await scene.maintain()
                #expect(try await scene.bytes("never") == "[1,2]")
                let stale = try await scene.store.staleKeys(
                    limit: 10, activeWindow: .zero, coolDown: .zero)
                #expect(stale.keys.isEmpty)
            }
        }

        @Test(
            "past its keeping time a payload is gone, its version is not",
            arguments: StoreKind.available)
        func keepFor(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"], keep: .seconds(600))
                scene.advance(.milliseconds(599_998))
                #expect(try await scene.bytes("a") == "[1,2]")
                try await scene.maintain()
                scene.advance(.milliseconds(1))
                #expect(try await scene.bytes("a") == nil)
                let status = try await scene.status("a")
                #expect(status.payload == nil)
                #expect(status.version == 1)
                try await scene.maintain()
                #expect(try await scene.story().last == "purged a")
                #expect(try await scene.store.keys(cursor: nil, limit: 10).items.isEmpty)
                try await scene.fill(["a"])
                #expect(try await scene.status("a").version == 2)
            }
        }

        @Test("a reader that holds the version gets no bytes", arguments: StoreKind.available)
        func held(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "a"])
                let key = try makeKey("a")
                #expect(try await scene.store.read(key, held: 1).bytes != nil)
                let same = try await scene.store.read(key, held: 2)
                #expect(same.bytes == nil)
                #expect(same.status.payload?.version == 2)
                let nothing = try await scene.store.read(makeKey("none"), held: nil)
                #expect(nothing.bytes == nil)
                #expect(nothing.status.state == .idle)
                #expect(nothing.status.version == 0)
            }
        }

        @Test("a large payload arrives whole", arguments: StoreKind.available)
        func large(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for size in [64 << 10, (64 << 10) + 1, (256 << 10) + 1, (2 << 20) + 12345] {
                    try await scene.ask("a")
                    let claim = try await scene.claim()
                    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
                    let payload = Payload(bytes: bytes, contentType: "application/x")
                    let publication = Publication(
                        claim: claim, content: .payload(payload), freshFor: .never, keepFor: nil)
                    for _ in 0..<2 {
                        let result = try await scene.store.publish(publication, claimNext: nil)
                        guard case .published = result.outcome else {
                            throw Scene.Unexpected("\(result.outcome)")
                        }
                    }
                    let read = try await scene.store.read(claim.key, held: nil)
                    #expect(read.bytes == bytes, "\(size) bytes")
                }
            }
        }

        @Test("the next jobs are claimed with the publication", arguments: StoreKind.available)
        func claimNext(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for key in ["a", "b", "c"] { try await scene.ask(key) }
                let claim = try await scene.claim()
                let request = ClaimRequest(worker: "w1", limit: 1)
                let first = try await scene.store.publish(
                    scene.publication(claim), claimNext: request)
                #expect(first.outcome == .published(version: 1))
                #expect(first.next.claims.map(\.key.text) == ["b"])
                #expect(first.next.waiting == 1)
                // Also when the lease was lost.
                let second = try await scene.store.publish(
                    scene.publication(claim), claimNext: request)
                #expect(second.next.claims.map(\.key.text) == ["c"])
            }
        }

        @Test(
            "beyond the maximum of variants the least recently read go",
            arguments: StoreKind.available)
        func variants(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["e?n=1", "e?n=2", "e?n=3", "e?n=4", "other"])
                try await scene.store.recordReads([makeKey("e?n=1")], counts: [:])
                scene.advance(.milliseconds(1))
                // Has a job: stays.
                try await scene.ask("e?n=2") { $0.delay = .seconds(60) }
                try await scene.ask("e?n=5")
                var publication = scene.publication(try await scene.claim())
                publication.maximumVariants = 3
                _ = try await scene.store.publish(publication, claimNext: nil)
                let kept = try await scene.store.keys(cursor: nil, limit: 10).items.map(\.text)
                #expect(kept.sorted() == ["e?n=1", "e?n=2", "e?n=5", "other"])
                let gone = try await scene.status("e?n=3")
                #expect(gone.payload == nil)
                #expect(gone.lastRefresh == nil)
                #expect(
                    try await scene.story().suffix(2).sorted() == ["purged e?n=3", "purged e?n=4"])
                try await scene.fill(["e?n=3"])
                #expect(try await scene.status("e?n=3").version == 2)
            }
        }
    }
}

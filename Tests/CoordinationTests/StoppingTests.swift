import FreshetModel
import TestSupport
import Testing

@testable import Coordination

extension StoreConformance {
    /// A cancelled job's source runs on until it has ended: its key must not be claimed meanwhile.
    @Suite("sources that end after their job")
    struct Stopping {
        @Test(
            "a key is claimed again only when its cancelled source has ended",
            arguments: StoreKind.available, [true, false])
        func released(_ kind: StoreKind, purged: Bool) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a").job.id
                let claim = try await scene.claim()
                if purged {
                    try await scene.purge("a")
                } else {
                    #expect(try await scene.cancel(first) == .stopped)
                }
                #expect(try await scene.store.job(first)?.state == .cancelled)
                #expect(try await scene.store.queue().running == 0)
                #expect(try await scene.store.keys(cursor: nil, limit: 10).items.isEmpty)

                let next = try await scene.ask("a")
                #expect(next.status == .started)
                #expect(next.job.state == .queued)
                #expect(next.job.position == 1)
                let batch = try await scene.store.claim(ClaimRequest(worker: "w2"))
                #expect(batch.claims.isEmpty)
                #expect(batch.waiting == 1)
                // Others are not held up, and its place is kept.
                try await scene.ask("b")
                try await scene.ask("c")
                #expect(try await scene.status("a").job?.position == 1)
                #expect(try await scene.claims(1).map(\.key.text) == ["b"])
                #expect(try await scene.claims().map(\.key.text) == ["c"])

                try await scene.store.release(claim)
                let second = try await scene.claim(worker: "w2")
                #expect(second.jobID == next.job.id)
                #expect(second.fence > claim.fence)
                // Said again it means nothing: the key is another's.
                try await scene.store.release(claim)
                #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [false])
                #expect(try await scene.publish(claim) == .leaseLost)
                guard case .published = try await scene.publish(second) else {
                    throw Scene.Unexpected("the second claim cannot publish")
                }
            }
        }

        @Test(
            "the word that a source has ended counts under its own claim alone",
            arguments: StoreKind.available)
        func othersWord(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let early = try await scene.claim()
                #expect(try await scene.store.handBack(early, delay: .zero))
                let claim = try await scene.claim()
                _ = try await scene.cancel(claim.jobID)
                try await scene.ask("a")
                try await scene.store.release(early)
                #expect(try await scene.claims().isEmpty)
                // Of a live lease it changes nothing.
                try await scene.store.release(claim)
                let live = try await scene.claim()
                try await scene.store.release(live)
                #expect(try await scene.store.heartbeat([Heartbeat(claim: live)]) == [true])
            }
        }

        @Test(
            "heartbeats keep the key for a source that takes its time",
            arguments: StoreKind.available)
        func heartbeats(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim(lease: .seconds(2))
                _ = try await scene.cancel(claim.jobID)
                try await scene.ask("a")
                for _ in 0..<4 {
                    scene.advance(.milliseconds(1500))
                    #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [false])
                    #expect(try await scene.maintain() == MaintenanceReport())
                    #expect(try await scene.claims().isEmpty)
                }
                scene.advance(.milliseconds(2001))
                #expect(try await scene.claims().count == 1)
            }
        }

        @Test(
            "a worker that dies meanwhile holds the key no longer than its lease",
            arguments: StoreKind.available, [true, false])
        func dies(_ kind: StoreKind, maintained: Bool) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim(lease: .seconds(5))
                scene.advance(.seconds(4))
                _ = try await scene.cancel(claim.jobID)
                let next = try await scene.ask("a").job.id
                scene.advance(.milliseconds(999))
                #expect(try await scene.maintain() == MaintenanceReport())
                #expect(try await scene.claims().isEmpty)
                scene.advance(.milliseconds(1))
                if maintained { #expect(try await scene.maintain() == MaintenanceReport()) }
                #expect(try await scene.claim().jobID == next)
                // A word that comes late frees nothing of the new claim's.
                try await scene.store.release(claim)
                #expect(try await scene.claims().isEmpty)
            }
        }

        @Test("a clock that steps back holds no key for ever", arguments: StoreKind.available)
        func stepsBack(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim(lease: .seconds(5))
                _ = try await scene.cancel(claim.jobID)
                try await scene.ask("a")
                scene.advance(.seconds(-3600))
                #expect(try await scene.maintain().repaired == 1)
                scene.advance(.seconds(5))
                #expect(try await scene.claims().count == 1)
            }
        }

        @Test(
            "a job whose lease had ended already holds nothing", arguments: StoreKind.available)
        func overdue(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim(lease: .seconds(5))
                scene.advance(.seconds(5))
                #expect(try await scene.cancel(claim.jobID) == .stopped)
                try await scene.ask("a")
                #expect(try await scene.claims().count == 1)
            }
        }

        @Test("a source that is ending counts under the cap", arguments: StoreKind.available)
        func capped(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for key in ["a", "b", "c"] { try await scene.ask(key) }
                var request = ClaimRequest(worker: "w1", limit: 5)
                request.maximumConcurrent = 2
                let claims = try await scene.store.claim(request).claims
                #expect(claims.count == 2)
                _ = try await scene.cancel(claims[0].jobID)
                #expect(try await scene.store.claim(request).claims.isEmpty)
                try await scene.store.release(claims[0])
                #expect(try await scene.store.claim(request).claims.count == 1)
            }
        }

        @Test(
            "who waits for work is woken when the key is free", arguments: StoreKind.available)
        func wakes(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                _ = try await scene.cancel(claim.jobID)
                try await scene.ask("a")
                try await scene.store.waitForWork(timeout: .seconds(5))
                #expect(try await scene.claims().isEmpty)
                let began = ContinuousClock.now
                async let woken: Void = scene.store.waitForWork(timeout: .seconds(20))
                try await scene.store.release(claim)
                try await woken
                #expect(ContinuousClock.now - began < .seconds(10))
            }
        }
    }

    /// One cap over several partitions.
    @Suite("slots")
    struct Slots {
        private static func slots(_ names: String..., lease: Duration = .seconds(5)) -> [Slot] {
            names.map { Slot(lease: lease, name: $0) }
        }

        @Test("no more are live than the cap allows", arguments: StoreKind.available)
        func cap(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 4) { (scene: Scene) async throws in
                let mine = Self.slots("w1-1", "w1-2")
                #expect(try await scene.take(mine, maximum: 3) == [true, true])
                let theirs = Self.slots("w2-1", "w2-2")
                #expect(try await scene.take(theirs, maximum: 3) == [true, false])
                try await scene.store.giveBackSlots([mine[0]])
                #expect(try await scene.take([theirs[1]], maximum: 3) == [true])
                #expect(try await scene.take([mine[0]], maximum: 3) == [false])
                #expect(try await scene.take([mine[0]], maximum: 4) == [true])
                #expect(try await scene.take(Self.slots("w9-1"), maximum: 0) == [false])
            }
        }

        @Test(
            "taken again a slot is renewed, and takes no second place",
            arguments: StoreKind.available)
        func again(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 2) { (scene: Scene) async throws in
                let mine = Self.slots("w1-1", "w1-2")
                for _ in 0..<4 {
                    #expect(try await scene.take(mine, maximum: 2) == [true, true])
                    scene.advance(.seconds(3))
                }
                #expect(try await scene.take(Self.slots("w2-1"), maximum: 2) == [false])
            }
        }

        @Test(
            "a slot nobody renews is another's after its lease", arguments: StoreKind.available)
        func ends(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 2) { (scene: Scene) async throws in
                let mine = Self.slots("w1-1", "w1-2")
                let theirs = Self.slots("w2-1")
                #expect(try await scene.take(mine, maximum: 2) == [true, true])
                scene.advance(.milliseconds(4999))
                #expect(try await scene.take(theirs, maximum: 2) == [false])
                scene.advance(.milliseconds(1))
                #expect(try await scene.take(theirs, maximum: 2) == [true])
                // One comes back in time for the place that is left, the other does not.
                #expect(try await scene.take(mine, maximum: 2) == [true, false])
            }
        }

        @Test("a clock that steps back takes no slot for ever", arguments: StoreKind.available)
        func stepsBack(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 2) { (scene: Scene) async throws in
                let theirs = Self.slots("w2-1")
                #expect(try await scene.take(Self.slots("w1-1"), maximum: 1) == [true])
                scene.advance(.seconds(-3600))
                #expect(try await scene.take(theirs, maximum: 1) == [false])
                scene.advance(.seconds(5))
                #expect(try await scene.take(theirs, maximum: 1) == [true])
            }
        }
    }
}

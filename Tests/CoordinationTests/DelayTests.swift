import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("delays and refusals")
    struct Delays {
        @Test("a delayed job waits for its time, then its turn", arguments: StoreKind.available)
        func delay(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let receipt = try await scene.ask("a") { $0.delay = .seconds(5) }
                let due = scene.clock.now + .seconds(5)
                #expect(receipt.status == .started)
                #expect(receipt.job.state == .queued)
                #expect(receipt.job.position == nil)
                #expect(receipt.job.ahead == nil)
                #expect(receipt.job.runAt == due)
                #expect(try await scene.status("a").job?.runAt == due)
                #expect(try await scene.status("a").state == .queued)
                #expect(try await scene.events().first?.runAt == due)

                let early = try await scene.store.claim(ClaimRequest(worker: "w1"))
                #expect(early.claims.isEmpty)
                #expect(early.untilNextDue == .seconds(5))
                try await scene.ask("b")
                scene.advance(.seconds(7))
                let claims = try await scene.claims()
                #expect(claims.map(\.key.text) == ["b", "a"])
                #expect(claims.last?.readyAt == due)
                let after = try await scene.store.claim(ClaimRequest(worker: "w1"))
                #expect(after.untilNextDue == nil)
            }
        }

        @Test(
            "two delays take the earlier time, a plain ask ends them",
            arguments: StoreKind.available)
        func joinDelayed(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let start = scene.clock.now
                let first = try await scene.ask("a") { $0.delay = .seconds(60) }
                let later = try await scene.ask("a") { $0.delay = .seconds(90) }
                #expect(later.status == .queued)
                #expect(later.job.id == first.job.id)
                #expect(later.job.runAt == start + .seconds(60))
                let earlier = try await scene.ask("a") { $0.delay = .seconds(20) }
                #expect(earlier.job.runAt == start + .seconds(20))
                #expect(
                    try await scene.store.claim(ClaimRequest(worker: "w")).untilNextDue
                        == .seconds(20))
                let plain = try await scene.ask("a")
                #expect(plain.status == .queued)
                #expect(plain.job.id == first.job.id)
                #expect(plain.job.position == 1)
                #expect(plain.job.runAt == nil)
                #expect(try await scene.status("a").job?.runAt == nil)
                #expect(try await scene.claim().jobID == first.job.id)
                #expect(
                    try await scene.events().map(\.runAt).prefix(3)
                        == [start + .seconds(60), start + .seconds(20), nil])
            }
        }

        @Test(
            "reads, the monitor and schedules leave the time alone", arguments: StoreKind.available)
        func quietJoins(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let due = scene.clock.now + .seconds(60)
                try await scene.ask("a") {
                    $0.delay = .seconds(60)
                    $0.scope = RefreshScope(["x"])
                }
                for origin in [RefreshRequest.Origin.read, .monitor, .schedule] {
                    let joined = try await scene.ask("a") {
                        $0.origin = origin
                        $0.priority = .high
                        $0.scope = RefreshScope(["y"])
                    }
                    #expect(joined.job.runAt == due)
                    #expect(joined.job.priority == .high)
                }
                scene.advance(.seconds(60))
                try await scene.ask("b")
                let claims = try await scene.claims()
                #expect(claims.map(\.key.text) == ["a", "b"])
                #expect(claims.first?.scope == RefreshScope(["x", "y"]))
            }
        }

        @Test(
            "an ask ends a retry's wait, attempts kept, at the back", arguments: StoreKind.available
        )
        func joinRetrying(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a").job.id
                try await scene.fail(scene.claim(), retryAfter: .seconds(60))
                try await scene.ask("b")
                let read = try await scene.ask("a") { $0.origin = .read }
                #expect(read.status == .queued)
                #expect(read.job.state == .retrying)
                #expect(read.job.runAt == scene.clock.now + .seconds(60))
                let delayed = try await scene.ask("a") { $0.delay = .seconds(10) }
                #expect(delayed.job.state == .retrying)
                #expect(delayed.job.runAt == scene.clock.now + .seconds(10))
                let asked = try await scene.ask("a")
                #expect(asked.status == .queued)
                #expect(asked.job.id == first)
                #expect(asked.job.attempt == 1)
                #expect(asked.job.position == 2)
                let claims = try await scene.claims()
                #expect(claims.map(\.key.text) == ["b", "a"])
                #expect(claims.last?.attempt == 2)
            }
        }

        @Test(
            "who found a version stale that was replaced gets no job",
            arguments: StoreKind.available)
        func notNeeded(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "a"])
                for origin in [RefreshRequest.Origin.read, .monitor] {
                    let late = try await scene.outcome("a") {
                        $0.origin = origin
                        $0.seenVersion = 1
                    }
                    #expect(late == .notNeeded(version: 2))
                }
                #expect(try await scene.status("a").state == .idle)
                let schedule = try await scene.ask("a") {
                    $0.origin = .schedule
                    $0.seenVersion = 1
                }
                #expect(schedule.status == .started)
                try await scene.publish(scene.claim())
                let current = try await scene.ask("a") {
                    $0.origin = .read
                    $0.seenVersion = 3
                }
                #expect(current.status == .started)
            }
        }

        @Test("a later version that is kept no longer is no answer", arguments: StoreKind.available)
        func notNeededButGone(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "a"], keep: .seconds(600))
                scene.advance(.seconds(600))
                let cold = try await scene.ask("a") {
                    $0.origin = .read
                    $0.seenVersion = 1
                }
                #expect(cold.status == .started)
            }
        }

        @Test(
            "after a dead job reads wait out the cool-down, others do not",
            arguments: StoreKind.available)
        func coolDown(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let dead = try await scene.ask("a").job.id
                try await scene.fail(scene.claim(), "source is down", retryAfter: nil)
                scene.advance(.seconds(59))
                for origin in [RefreshRequest.Origin.read, .monitor] {
                    let outcome = try await scene.outcome("a") {
                        $0.origin = origin
                        $0.coolDown = .seconds(60)
                    }
                    #expect(outcome == .coolingDown(dead, error: "source is down"))
                }
                #expect(try await scene.status("a").state == .failed)
                let scheduled = try await scene.ask("a") {
                    $0.origin = .schedule
                    $0.coolDown = .seconds(60)
                }
                #expect(scheduled.status == .started)
                #expect(scheduled.job.id != dead)
                #expect(scheduled.job.attempt == 0)
                // It left the dead letters; its id can still be asked for.
                #expect(try await scene.store.queue().dead == 0)
                #expect(try await scene.store.job(dead)?.state == .dead)
                try await scene.fail(scene.claim(), retryAfter: nil)
                scene.advance(.seconds(60))
                let read = try await scene.ask("a") {
                    $0.origin = .read
                    $0.coolDown = .seconds(60)
                }
                #expect(read.status == .started)
            }
        }

        @Test("expire marks stale, keeps serving, and asks", arguments: StoreKind.available)
        func expire(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"], fresh: .never)
                scene.advance(.seconds(3))
                let key = try makeKey("a")
                let receipt = try scene.accepted(
                    await scene.store.expire(RefreshRequest(key: key)))
                #expect(receipt.status == .started)
                let status = try await scene.status("a")
                #expect(status.payload?.isFresh(at: status.now) == false)
                #expect(status.payload?.version == 1)
                #expect(status.state == .queued)
                #expect(try await scene.bytes("a") == "[1,2]")
                let told = try await scene.events().suffix(2)
                #expect(told.map(\.kind) == [.expired, .queued])
                #expect(told.map(\.version) == [1, 1])
                // In one step: one entry of the log.
                #expect(told.first?.id.sequence == told.last?.id.sequence)

                let joined = try scene.accepted(
                    await scene.store.expire(RefreshRequest(key: key)))
                #expect(joined.status == .queued)

                let cold = try makeKey("cold")
                _ = try await scene.store.expire(RefreshRequest(key: cold))
                #expect(try await scene.events().last?.kind == .queued)
                #expect(try await scene.story().filter { $0 == "expired cold" }.isEmpty)
            }
        }
    }
}

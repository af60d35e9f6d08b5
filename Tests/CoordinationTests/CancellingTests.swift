import FreshetModel
import TestSupport
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("cancelling and purging")
    struct Cancelling {
        @Test("a job that waits, is delayed or retries is removed", arguments: StoreKind.available)
        func removed(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let retrying = try await scene.ask("retrying").job.id
                try await scene.fail(scene.claim())
                let waiting = try await scene.ask("waiting") { $0.priority = .low }.job.id
                let delayed = try await scene.ask("delayed") { $0.delay = .seconds(5) }.job.id
                scene.advance(.seconds(1))
                for id in [waiting, delayed, retrying] {
                    #expect(try await scene.cancel(id) == .removed)
                    #expect(try await scene.cancel(id) == .alreadyEnded(.cancelled))
                    let status = try await scene.status(id.key.text)
                    #expect(status.state == .idle)
                    #expect(status.job == nil)
                    let job = try #require(await scene.store.job(id))
                    #expect(job.state == .cancelled)
                    #expect(job.finishedAt == scene.clock.now)
                    #expect(job.version == nil)
                    let event = try #require(await scene.events().last)
                    #expect(event.kind == .cancelled)
                    #expect(event.jobID == id)
                }
                #expect(try await scene.store.job(waiting)?.priority == .low)
                #expect(try await scene.store.job(retrying)?.attempt == 1)
                scene.advance(.seconds(100))
                #expect(try await scene.claims().isEmpty)
                #expect(try await scene.store.keys(cursor: nil, limit: 10).items.isEmpty)
                #expect(try await scene.ask("waiting").status == .started)
            }
        }

        @Test(
            "a running job loses its lease and its worker is told", arguments: StoreKind.available)
        func stopped(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                let claim = try await scene.claim()
                scene.advance(.seconds(2))
                #expect(try await scene.cancel(id) == .stopped)
                #expect(try await scene.status("a").state == .idle)
                #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [false])
                #expect(try await scene.publish(claim) == .leaseLost)
                #expect(try await scene.fail(claim) == .leaseLost)
                #expect(try await scene.store.handBack(claim, delay: .zero) == false)
                #expect(try await scene.bytes("a") == nil)
                let job = try #require(await scene.store.job(id))
                #expect(job.state == .cancelled)
                #expect(job.duration == .seconds(2))
                #expect(job.worker == "w1")
                #expect(try await scene.cancel(id) == .alreadyEnded(.cancelled))
                #expect(try await scene.story() == ["queued a", "running a", "cancelled a"])
                scene.advance(.seconds(60))
                #expect(try await scene.maintain() == MaintenanceReport())
            }
        }

        @Test(
            "a rerun is forgotten alone, or has its turn when the running one goes",
            arguments: StoreKind.available)
        func reruns(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                let claim = try await scene.claim()
                scene.advance(.seconds(1))
                let rerun = try await scene.ask("a") { $0.force = true }.job.id
                #expect(try await scene.cancel(rerun) == .removed)
                #expect(try await scene.store.job(rerun)?.state == .cancelled)
                #expect(try await scene.cancel(rerun) == .alreadyEnded(.cancelled))
                #expect(try await scene.events().last?.jobID == rerun)
                #expect(try await scene.store.heartbeat([Heartbeat(claim: claim)]) == [true])
                scene.advance(.seconds(1))
                let second = try await scene.ask("a") { $0.force = true }.job.id
                #expect(second != rerun)
                #expect(try await scene.cancel(id) == .stopped)
                let status = try await scene.status("a")
                #expect(status.state == .queued)
                #expect(status.job?.id == second)
                #expect(status.job?.position == 1)
                #expect(try await scene.story().suffix(2) == ["cancelled a", "queued a"])
                #expect(try await scene.claims().isEmpty)
                try await scene.store.release(claim)
                #expect(try await scene.claim().jobID == second)
            }
        }

        @Test(
            "what has ended cannot be cancelled, what never was is unknown",
            arguments: StoreKind.available)
        func ended(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let succeeded = try await scene.ask("a").job.id
                try await scene.publish(scene.claim())
                #expect(try await scene.cancel(succeeded) == .alreadyEnded(.succeeded))
                let dead = try await scene.ask("b").job.id
                try await scene.fail(scene.claim(), retryAfter: nil)
                #expect(try await scene.cancel(dead) == .alreadyEnded(.dead))
                #expect(try await scene.status("b").state == .failed)
                let live = try await scene.ask("a").job.id
                for id in [
                    JobID(run: 1, key: succeeded.key), JobID(run: live.run + 1, key: live.key),
                    JobID(run: 7, key: try makeKey("none")),
                ] {
                    #expect(try await scene.cancel(id) == .unknown)
                    #expect(try await scene.store.job(id) == nil)
                }
                #expect(try await scene.status("a").state == .queued)
            }
        }

        @Test("the nonces of lost leases are told as they happen", arguments: StoreKind.available)
        func cancellations(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let nonces = scene.store.cancellations()
                var feed = scene.store.feed().makeAsyncIterator()
                // One subscription serves both: `suspect` tells that it stands.
                _ = await feed.next()
                let id = try await scene.ask("a").job.id
                let first = try await scene.claim()
                _ = try await scene.cancel(id)
                try await scene.store.release(first)
                try await scene.ask("a")
                let second = try await scene.claim()
                try await scene.purge("a")
                var iterator = nonces.makeAsyncIterator()
                #expect(await iterator.next() == first.nonce)
                #expect(await iterator.next() == second.nonce)
            }
        }

        @Test(
            "a cancelled refresh leaves the kept payload to the monitor",
            arguments: StoreKind.available)
        func monitored(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"])
                scene.advance(.seconds(61))
                let id = try await scene.ask("a").job.id
                func stale() async throws -> Int {
                    try await scene.store.staleKeys(limit: 5, activeWindow: .zero, coolDown: .zero)
                        .keys.count
                }
                #expect(try await stale() == 0)
                #expect(try await scene.cancel(id) == .removed)
                #expect(try await stale() == 1)
                #expect(try await scene.bytes("a") == "[1,2]")
            }
        }

        @Test("a purge removes all but the version", arguments: StoreKind.available)
        func purge(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "a"])
                try await scene.ask("a")
                let claim = try await scene.claim()
                scene.advance(.seconds(1))
                let rerun = try await scene.ask("a") { $0.force = true }.job.id
                try await scene.purge("a")
                let status = try await scene.status("a")
                #expect(status.state == .idle)
                #expect(status.payload == nil)
                #expect(status.version == 2)
                #expect(status.lastRefresh == nil)
                #expect(status.lastDuration == nil)
                #expect(status.error == nil)
                #expect(try await scene.bytes("a") == nil)
                #expect(try await scene.publish(claim) == .leaseLost)
                #expect(try await scene.store.job(claim.jobID)?.state == .cancelled)
                #expect(try await scene.store.job(rerun)?.state == .cancelled)
                let told = try await scene.events().suffix(3)
                #expect(told.map(\.kind) == [.cancelled, .cancelled, .purged])
                #expect(told.map(\.jobID) == [claim.jobID, rerun, nil])
                #expect(try await scene.store.keys(cursor: nil, limit: 10).items.isEmpty)
                #expect(try await scene.claims().isEmpty)

                // Again, and where nothing ever was: nothing to tell.
                let count = try await scene.events().count
                try await scene.purge("a")
                try await scene.purge("none")
                #expect(try await scene.events().count == count)
                try await scene.store.release(claim)
                try await scene.fill(["a"])
                #expect(try await scene.status("a").version == 3)
            }
        }

        @Test("a purge clears a dead letter", arguments: StoreKind.available)
        func purgeDead(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                try await scene.fail(scene.claim(), retryAfter: nil)
                try await scene.purge("a")
                #expect(try await scene.story().last == "purged a")
                let status = try await scene.status("a")
                #expect(status.state == .idle)
                #expect(status.error == nil)
                #expect(status.consecutiveFailures == 0)
                #expect(try await scene.store.queue().dead == 0)
                #expect(try await scene.store.job(id)?.state == .dead)
            }
        }

        @Test("an ended job is unknown after its time", arguments: StoreKind.available)
        func keepJobs(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                var publication = scene.publication(try await scene.claim())
                publication.keepJobs = .milliseconds(50)
                _ = try await scene.store.publish(publication, claimNext: nil)
                scene.advance(.milliseconds(50))
                // Redis lets it expire on its own clock, the memory store on the test's.
                try await eventually("the ended job is forgotten") {
                    try await scene.store.job(publication.claim.jobID) == nil
                }
                #expect(try await scene.cancel(publication.claim.jobID) == .unknown)
                #expect(try await scene.store.jobs(states: [], cursor: nil, limit: 9).items.isEmpty)

                try await scene.ask("b")
                publication = scene.publication(try await scene.claim())
                publication.keepJobs = .zero
                _ = try await scene.store.publish(publication, claimNext: nil)
                #expect(try await scene.store.job(publication.claim.jobID) == nil)
            }
        }
    }
}

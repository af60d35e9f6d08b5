import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("failing")
    struct Failing {
        @Test("a failed attempt is retried at its time", arguments: StoreKind.available)
        func retry(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"])
                let id = try await scene.ask("a").job.id
                let started = scene.clock.now
                let claim = try await scene.claim(worker: "w4")
                scene.advance(.seconds(2))
                let runAt = scene.clock.now + .seconds(30)
                for _ in 0..<2 {
                    #expect(
                        try await scene.fail(claim, "HTTP 503\t\"x\"", retryAfter: .seconds(30))
                            == .retrying(at: runAt))
                    scene.advance(.seconds(1))
                }
                let status = try await scene.status("a")
                #expect(status.state == .retrying)
                #expect(status.error == "HTTP 503\t\"x\"")
                #expect(status.consecutiveFailures == 1)
                #expect(status.lastDuration == .seconds(2))
                #expect(status.sourceOnline)
                #expect(status.payload?.version == 1)
                #expect(try await scene.bytes("a") == "[1,2]")
                let job = try #require(status.job)
                #expect(job.id == id)
                #expect(job.state == .retrying)
                #expect(job.attempt == 1)
                #expect(job.error == "HTTP 503\t\"x\"")
                #expect(job.runAt == runAt)
                #expect(job.position == nil)
                #expect(job.startedAt == started)
                #expect(job.duration == .seconds(2))
                #expect(job.worker == "w4")
                let event = try #require(await scene.events().last)
                #expect(event.kind == .retrying)
                #expect(event.error == "HTTP 503\t\"x\"")
                #expect(event.attempt == 1)
                #expect(event.runAt == runAt)

                #expect(try await scene.claims().isEmpty)
                try await scene.ask("b")
                scene.advance(.seconds(28))
                let claims = try await scene.claims()
                #expect(claims.map(\.key.text) == ["b", "a"], "at the back")
                #expect(claims.last?.attempt == 2)
                #expect(claims.last?.jobID == id)
                #expect(claims.last?.readyAt == runAt)
                #expect(try await scene.status("a").job?.error == "HTTP 503\t\"x\"")
                #expect(try await scene.publish(#require(claims.last)) == .published(version: 2))
                let after = try await scene.status("a")
                #expect(after.error == nil)
                #expect(after.consecutiveFailures == 0)
                #expect(try await scene.store.job(id)?.attempt == 2)
            }
        }

        @Test(
            "without another attempt the job is dead and can be seen",
            arguments: StoreKind.available)
        func dead(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a") { $0.priority = .high }.job.id
                let claim = try await scene.claim(worker: "w4")
                scene.advance(.seconds(2))
                for _ in 0..<2 {
                    #expect(try await scene.fail(claim, "404", retryAfter: nil) == .dead)
                }
                let status = try await scene.status("a")
                #expect(status.state == .failed)
                #expect(status.error == "404")
                #expect(status.consecutiveFailures == 1)
                for job in [status.job, try await scene.store.job(id)] {
                    let job = try #require(job)
                    #expect(job.id == id)
                    #expect(job.state == .dead)
                    #expect(job.attempt == 1)
                    #expect(job.error == "404")
                    #expect(job.priority == .high)
                    #expect(job.finishedAt == scene.clock.now)
                    #expect(job.duration == .seconds(2))
                    #expect(job.worker == "w4")
                    #expect(job.position == nil)
                    #expect(job.estimatedRemaining == nil)
                    #expect(job.queueDepth == 0)
                }
                #expect(try await scene.store.queue().dead == 1)
                let event = try #require(await scene.events().last)
                #expect(event.kind == .failed)
                #expect(event.error == "404")
                #expect(try await scene.story().filter { $0 == "failed a" }.count == 1)
                #expect(try await scene.publish(claim) == .leaseLost)

                // The next job has not failed yet.
                try await scene.ask("a")
                #expect(try await scene.status("a").job?.error == nil)
                let next = try await scene.claim()
                #expect(next.attempt == 1)
                #expect(try await scene.status("a").job?.error == nil)
                #expect(try await scene.status("a").error == "404")
            }
        }

        @Test("the end of a long error is kept", arguments: StoreKind.available)
        func longError(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let error = String(repeating: "x", count: 9000) + " the end"
                try await scene.fail(scene.claim(), error)
                let kept = try #require(await scene.status("a").error)
                #expect(kept.utf8.count == Limits.errorLength)
                #expect(kept.hasSuffix(" the end"))
            }
        }

        @Test("failures tell whether the source could be reached", arguments: StoreKind.available)
        func sourceOnline(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func fail(online: Bool) async throws -> Bool {
                    var failure = AttemptFailure(
                        claim: try await scene.claim(), error: "x", retryAfter: .zero)
                    failure.sourceOnline = online
                    _ = try await scene.store.fail(failure)
                    return try await scene.status("a").sourceOnline
                }
                try await scene.ask("a")
                #expect(try await fail(online: false) == false)
                #expect(try await fail(online: true) == true)
                #expect(try await fail(online: false) == false)
                try await scene.publish(scene.claim())
                #expect(try await scene.status("a").sourceOnline)
            }
        }

        @Test("a dead job's rerun has its turn", arguments: StoreKind.available)
        func deadWithRerun(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                let claim = try await scene.claim()
                scene.advance(.seconds(1))
                let rerun = try await scene.ask("a") { $0.force = true }.job.id
                #expect(try await scene.fail(claim, retryAfter: nil) == .dead)
                let status = try await scene.status("a")
                #expect(status.state == .queued)
                #expect(status.job?.id == rerun)
                #expect(status.job?.attempt == 0)
                #expect(status.job?.error == nil)
                #expect(try await scene.store.job(id)?.state == .dead)
                #expect(try await scene.story().suffix(2) == ["failed a", "queued a"])
                #expect(try await scene.claim().jobID == rerun)
            }
        }

        @Test("a rerun outlives failed attempts and lost leases", arguments: StoreKind.available)
        func rerunStays(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                let first = try await scene.claim()
                scene.advance(.seconds(1))
                let rerun = try await scene.ask("a") { $0.force = true }.job.id
                try await scene.fail(first, retryAfter: .seconds(1))
                #expect(try await scene.store.job(rerun)?.isRerun == true)
                scene.advance(.seconds(1))
                let second = try await scene.claim()
                scene.advance(.seconds(20))
                #expect(try await scene.maintain().reaped == [id])
                #expect(try await scene.store.job(rerun)?.isRerun == true)
                #expect(try await scene.publish(second) == .leaseLost)
                let third = try await scene.claim()
                #expect(third.jobID == id)
                try await scene.publish(third)
                #expect(try await scene.claim().jobID == rerun)
            }
        }
    }

    @Suite("handing back and reaping")
    struct Returning {
        @Test(
            "handed back, a job has its old place and attempt again", arguments: StoreKind.available
        )
        func handBack(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                try await scene.fail(scene.claim(), retryAfter: .zero)
                try await scene.maintain()
                for key in ["b", "c"] { try await scene.ask(key) }
                let claim = try await scene.claim()
                #expect(claim.attempt == 2)
                for _ in 0..<2 {
                    #expect(try await scene.store.handBack(claim, delay: .zero))
                }
                let status = try await scene.status("a")
                #expect(status.state == .queued)
                #expect(status.consecutiveFailures == 1)
                #expect(status.job?.id == id)
                #expect(status.job?.attempt == 1)
                #expect(status.job?.position == 1)
                let event = try #require(await scene.events().last)
                #expect(event.kind == .queued)
                #expect(event.jobID == id)
                #expect(try await scene.publish(claim) == .leaseLost)
                let again = try await scene.claims()
                #expect(again.map(\.key.text) == ["a", "b", "c"])
                #expect(again.first?.attempt == 2)
                #expect(try await scene.store.handBack(claim, delay: .zero) == true)
                #expect(try await scene.status("a").state == .running)
            }
        }

        @Test(
            "handed back because its source is away, its status says so until the source answers",
            arguments: StoreKind.available)
        func handBackAway(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                #expect(try await scene.status("a").sourceOnline)
                for _ in 0..<2 {
                    let isHeld = try await scene.store.handBack(
                        claim, delay: .seconds(5), isSourceAway: true)
                    #expect(isHeld)
                    #expect(try await !scene.status("a").sourceOnline)
                }
                #expect(try await scene.status("a").consecutiveFailures == 0)
                scene.advance(.seconds(5))
                try await scene.maintain()
                _ = try await scene.publish(scene.claim())
                #expect(try await scene.status("a").sourceOnline)
            }
        }

        @Test(
            "handed back with a delay, a job has its old place after it",
            arguments: StoreKind.available)
        func handBackDelayed(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                for key in ["a", "b", "c"] { try await scene.ask(key) }
                let claim = try await scene.claim()
                #expect(try await scene.store.handBack(claim, delay: .seconds(5)))
                let due = scene.clock.now + .seconds(5)
                let job = try #require(await scene.status("a").job)
                #expect(job.state == .queued)
                #expect(job.position == nil)
                #expect(job.runAt == due)
                #expect(job.attempt == 0)
                #expect(try await scene.events().last?.runAt == due)
                let next = try await scene.claim()
                #expect(next.key.text == "b")
                scene.advance(.seconds(5))
                #expect(try await scene.maintain().promoted == 1)
                #expect(try await scene.status("a").job?.position == 1)
                #expect(try await scene.claims().map(\.key.text) == ["a", "c"])
            }
        }

        @Test("a lost lease returns the job to its place, unharmed", arguments: StoreKind.available)
        func reap(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a") { $0.scope = RefreshScope(["x"]) }.job.id
                try await scene.ask("b")
                let claim = try await scene.claim(lease: .seconds(10))
                scene.advance(.milliseconds(9999))
                #expect(try await scene.maintain() == MaintenanceReport())
                scene.advance(.milliseconds(1))
                let report = try await scene.maintain()
                #expect(report.reaped == [id])
                #expect(report.dead.isEmpty)
                #expect(report.repaired == 0)
                let status = try await scene.status("a")
                #expect(status.state == .queued)
                #expect(status.consecutiveFailures == 0)
                #expect(status.job?.position == 1)
                #expect(status.job?.attempt == 0)
                #expect(try await scene.story().last == "queued a")
                let again = try await scene.claim()
                #expect(again.jobID == id)
                #expect(again.attempt == 1)
                #expect(again.fence > claim.fence)
                #expect(again.nonce != claim.nonce)
                #expect(again.scope == RefreshScope(["x"]))
            }
        }

        @Test("the third lost lease in a row makes the job dead", arguments: StoreKind.available)
        func thirdLoss(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                func lose() async throws -> MaintenanceReport {
                    _ = try await scene.claim(lease: .seconds(10))
                    scene.advance(.seconds(10))
                    return try await scene.maintain()
                }
                #expect(try await lose().reaped == [id])
                #expect(try await lose().reaped == [id])
                let report = try await lose()
                #expect(report.dead == [id])
                #expect(report.reaped.isEmpty)
                let status = try await scene.status("a")
                #expect(status.state == .failed)
                #expect(status.consecutiveFailures == 1)
                #expect(status.lastDuration == .seconds(10))
                #expect(status.error?.contains("lease was lost") == true)
                #expect(status.job?.state == .dead)
                #expect(status.job?.attempt == 1)
                #expect(status.job?.duration == .seconds(10))
                #expect(try await scene.store.queue().dead == 1)
                #expect(try await scene.story().last == "failed a")
                #expect(try await scene.store.job(id)?.state == .dead)
            }
        }

        @Test(
            "an attempt that ends, or a job handed back, breaks the row",
            arguments: StoreKind.available)
        func rowBroken(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                func lose() async throws -> Int {
                    _ = try await scene.claim(lease: .seconds(10))
                    scene.advance(.seconds(10))
                    return try await scene.maintain().dead.count
                }
                for _ in 0..<2 { #expect(try await lose() == 0) }
                try await scene.fail(scene.claim(), retryAfter: .zero)
                for _ in 0..<2 { #expect(try await lose() == 0) }
                #expect(try await scene.store.handBack(scene.claim(), delay: .zero))
                for _ in 0..<2 { #expect(try await lose() == 0) }
                try await scene.publish(scene.claim())
                try await scene.ask("a")
                for _ in 0..<2 { #expect(try await lose() == 0) }
                #expect(try await lose() == 1)
            }
        }

        @Test(
            "a clock that steps back does not make a lease eternal", arguments: StoreKind.available)
        func clamp(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let id = try await scene.ask("a").job.id
                _ = try await scene.claim(lease: .seconds(10))
                scene.advance(.seconds(-86_400))
                #expect(try await scene.maintain().repaired == 1)
                scene.advance(.seconds(10))
                #expect(try await scene.maintain().reaped == [id])
            }
        }

        @Test(
            "maintenance touches a bounded number and comes back for the rest",
            arguments: StoreKind.available)
        func bounded(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let requests = try (0..<130).map { index in
                    var request = RefreshRequest(key: try makeKey("k?n=\(index)"))
                    request.delay = .seconds(1)
                    return request
                }
                _ = try await scene.store.requestMany(requests)
                scene.advance(.seconds(1))
                #expect(try await scene.maintain().promoted == 100)
                #expect(try await scene.maintain().promoted == 30)
                #expect(try await scene.claims().count == 100)
                #expect(try await scene.claims().count == 30)
                scene.advance(.seconds(10))
                #expect(try await scene.maintain().reaped.count == 100)
                #expect(try await scene.maintain().reaped.count == 30)
            }
        }
    }
}

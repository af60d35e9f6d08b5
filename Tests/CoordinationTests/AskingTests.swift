import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("asking")
    struct Asking {
        @Test("the first ask makes a job that waits", arguments: StoreKind.available)
        func newJob(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let receipt = try await scene.ask("a") { $0.priority = .high }
                let now = scene.clock.now
                #expect(receipt.status == .started)
                #expect(receipt.job.id.run == now.milliseconds * 1000)
                #expect(receipt.job.id.createdAt == now)
                #expect(receipt.job.state == .queued)
                #expect(receipt.job.priority == .high)
                #expect(receipt.job.position == 1)
                #expect(receipt.job.ahead == 0)
                #expect(receipt.job.queueDepth == 1)
                #expect(receipt.job.attempt == 0)
                #expect(!receipt.job.isRerun)
                #expect(receipt.runningFor == nil)

                let status = try await scene.status("a")
                #expect(status.state == .queued)
                #expect(status.version == 0)
                #expect(status.payload == nil)
                #expect(status.job?.id == receipt.job.id)
                #expect(status.job?.priority == .high)
                #expect(try await scene.store.job(receipt.job.id)?.position == 1)

                let events = try await scene.events()
                #expect(events.map(\.kind) == [.queued])
                #expect(events.first?.jobID == receipt.job.id)
                #expect(events.first?.version == 0)
                #expect(events.first?.at == now)
                #expect(events.first?.runAt == nil)
            }
        }

        @Test("a second ask joins the waiting job", arguments: StoreKind.available)
        func joinWaiting(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a")
                scene.advance(.seconds(1))
                for origin in [RefreshRequest.Origin.ask, .read, .monitor, .schedule] {
                    let second = try await scene.ask("a") { $0.origin = origin }
                    #expect(second.status == .queued)
                    #expect(second.job.id == first.job.id)
                    #expect(second.job.queueDepth == 1)
                }
                let forced = try await scene.ask("a") { $0.force = true }
                #expect(forced.job.id == first.job.id)
                #expect(!forced.job.isRerun)
                #expect(try await scene.story() == ["queued a"])
            }
        }

        @Test(
            "the position counts all that come before, over all classes",
            arguments: StoreKind.available)
        func positions(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let order: [(String, Priority)] = [
                    ("n1", .normal), ("l1", .low), ("h1", .high), ("n2", .normal), ("h2", .high),
                    ("l2", .low),
                ]
                for (key, priority) in order { try await scene.ask(key) { $0.priority = priority } }
                let expected = ["h1", "h2", "n1", "n2", "l1", "l2"]
                for (rank, key) in expected.enumerated() {
                    let job = try #require(await scene.status(key).job)
                    #expect(job.position == rank + 1, "\(key)")
                    #expect(job.ahead == rank)
                    #expect(job.queueDepth == 6)
                }
                #expect(try await scene.claims().map(\.key.text) == expected)
            }
        }

        @Test(
            "a join takes the higher class and keeps its turn in it", arguments: StoreKind.available
        )
        func raise(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("first") { $0.priority = .low }
                try await scene.ask("n1")
                try await scene.ask("h1") { $0.priority = .high }
                let raised = try await scene.ask("first") { $0.priority = .high }
                #expect(raised.job.position == 1)
                #expect(raised.job.priority == .high)
                let lowered = try await scene.ask("first") { $0.priority = .low }
                #expect(lowered.job.priority == .high)
                #expect(try await scene.claims().map(\.key.text) == ["first", "h1", "n1"])
                #expect(
                    try await scene.story().prefix(4)
                        == ["queued first", "queued n1", "queued h1", "queued first"])
            }
        }

        @Test("scopes unite; none, and too many, mean everything", arguments: StoreKind.available)
        func scopes(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a") { $0.scope = RefreshScope(["x", "sub/\"dir\""]) }
                try await scene.ask("a") { $0.scope = RefreshScope(["b", "x"]) }
                #expect(try await scene.claim().scope == RefreshScope(["b", "sub/\"dir\"", "x"]))
                try await scene.ask("b") { $0.scope = RefreshScope(["x"]) }
                try await scene.ask("b")
                #expect(try await scene.claim().scope == .all)
                try await scene.ask("c") { $0.scope = RefreshScope((1...60).map { "l\($0)" }) }
                try await scene.ask("c") { $0.scope = RefreshScope((1...60).map { "r\($0)" }) }
                #expect(try await scene.claim().scope == .all)
            }
        }

        @Test("a trace context travels with the job it began", arguments: StoreKind.available)
        func traceparent(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                try await scene.ask("a") { $0.traceparent = trace }
                try await scene.ask("a") { $0.traceparent = "00-other" }
                #expect(try await scene.claim().traceparent == trace)
            }
        }

        @Test(
            "runs stay unique when the clock stands still or steps back",
            arguments: StoreKind.available)
        func runs(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a").job.id
                try await scene.publish(scene.claim())
                let second = try await scene.ask("a").job.id
                #expect(second.run == first.run + 1)
                try await scene.publish(scene.claim())
                scene.advance(.seconds(-60))
                #expect(try await scene.ask("a").job.id.run == first.run + 2)
            }
        }

        // MARK: running

        @Test("an ask while it runs joins and says for how long", arguments: StoreKind.available)
        func joinRunning(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a") { $0.scope = RefreshScope(["x"]) }
                let claim = try await scene.claim()
                scene.advance(.milliseconds(2500))
                let joined = try await scene.ask("a") { $0.scope = RefreshScope(["y"]) }
                #expect(joined.status == .running)
                #expect(joined.job.id == first.job.id)
                #expect(joined.job.state == .running)
                #expect(joined.job.position == 0)
                #expect(joined.job.attempt == 1)
                #expect(joined.runningFor == .milliseconds(2500))
                // What runs covers what it began with.
                try await scene.fail(claim, retryAfter: .zero)
                #expect(try await scene.claim().scope == RefreshScope(["x"]))
            }
        }

        @Test(
            "force while it runs notes one more run for all who force",
            arguments: StoreKind.available)
        func rerun(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("a").job.id
                let claim = try await scene.claim()
                scene.advance(.seconds(1))
                let forced = try await scene.ask("a") {
                    $0.force = true
                    $0.priority = .low
                    $0.scope = RefreshScope(["x"])
                }
                #expect(forced.status == .queued)
                #expect(forced.job.isRerun)
                #expect(forced.job.id != first)
                #expect(forced.job.state == .queued)
                #expect(forced.job.position == nil)
                #expect(forced.runningFor == .seconds(1))
                scene.advance(.seconds(1))
                let again = try await scene.ask("a") {
                    $0.force = true
                    $0.priority = .high
                    $0.scope = RefreshScope(["y"])
                }
                #expect(again.job.id == forced.job.id)
                let noted = try #require(await scene.store.job(forced.job.id))
                #expect(noted.isRerun)
                #expect(noted.state == .queued)
                #expect(noted.position == nil)
                #expect(noted.priority == .high)
                // Not a member of the queue yet.
                #expect(try await scene.store.queue().waiting == 0)
                #expect(try await scene.ask("a").job.id == first)

                try await scene.ask("other") { $0.priority = .high }
                scene.advance(.seconds(1))
                try await scene.publish(claim)
                let waiting = try #require(await scene.store.job(forced.job.id))
                #expect(!waiting.isRerun)
                #expect(waiting.position == 2)
                #expect(try await scene.status("a").state == .queued)
                let claims = try await scene.claims()
                #expect(claims.map(\.key.text) == ["other", "a"])
                #expect(claims.last?.jobID == forced.job.id)
                #expect(claims.last?.scope == RefreshScope(["x", "y"]))
                #expect(claims.last?.attempt == 1)
                #expect(claims.last?.readyAt == scene.clock.now)
                #expect(
                    try await scene.story() == [
                        "queued a", "running a", "queued other", "updated a", "queued a",
                        "running other", "running a",
                    ])
            }
        }

        // MARK: many

        @Test("many are asked for at once, answers in order", arguments: StoreKind.available)
        func many(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 3) { scene in
                let names = (0..<250).map { "events?page=\($0)" } + ["events?page=7"]
                let requests = try names.map { RefreshRequest(key: try makeKey($0)) }
                let outcomes = try await scene.store.requestMany(requests)
                #expect(outcomes.count == requests.count)
                for (request, outcome) in zip(requests, outcomes) {
                    #expect(try scene.accepted(outcome).job.id.key == request.key)
                }
                let statuses = try outcomes.map { try scene.accepted($0).status }
                #expect(statuses.dropLast().allSatisfy { $0 == .started })
                #expect(statuses.last == .queued)
                #expect(
                    try scene.accepted(outcomes[7]).job.id == scene.accepted(outcomes[250]).job.id)
                #expect(try await scene.store.queue().waiting == 250)
                #expect(try await scene.store.requestMany([]).isEmpty)
            }
        }

        @Test(
            "past the maximum new jobs are refused and joins are not",
            arguments: StoreKind.available)
        func queueFull(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                func limited(_ key: String) async throws -> RequestOutcome {
                    try await scene.outcome(key) { $0.maximumQueue = 2 }
                }
                _ = try await limited("a")
                _ = try await limited("b")
                #expect(try await limited("c") == .queueFull(waiting: 2))
                #expect(try await scene.status("c").state == .idle)
                #expect(try scene.accepted(await limited("a")).status == .queued)
                _ = try await scene.claim()
                #expect(try scene.accepted(await limited("c")).status == .started)
                #expect(try await scene.store.keys(cursor: nil, limit: 10).items.count == 3)
                #expect(try await scene.story().filter { $0 == "queued c" }.count == 1)
            }
        }

        @Test(
            "with a full queue nothing is marked stale that is not asked for",
            arguments: StoreKind.available)
        func expireWhenFull(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a"])
                try await scene.ask("b")
                let told = try await scene.events().count
                var request = RefreshRequest(key: try makeKey("a"))
                request.maximumQueue = 1
                #expect(try await scene.store.expire(request) == .queueFull(waiting: 1))
                let kept = try #require(await scene.status("a").payload)
                #expect(kept.isFresh(at: scene.clock.now))
                #expect(try await scene.events().count == told)
                // A key that has a job joins it, full or not.
                try await scene.ask("a")
                guard case .accepted = try await scene.store.expire(request) else {
                    throw Scene.Unexpected("a join was refused")
                }
                #expect(try await scene.events().last?.kind == .expired)
            }
        }

        @Test(
            "a retrying job whose class rises is told as queued: no attempt failed",
            arguments: StoreKind.available)
        func raisedRetry(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a") { $0.priority = .low }
                try await scene.fail(scene.claim())
                try await scene.ask("a") {
                    $0.origin = .read
                    $0.priority = .high
                }
                #expect(try await scene.status("a").state == .retrying)
                let event = try #require(await scene.events().last)
                #expect(event.kind == .queued)
                #expect(event.runAt == scene.clock.now + .seconds(30))
                #expect(event.error == nil)
            }
        }

        @Test(
            "where there are several partitions a job tells in whose queue it counts",
            arguments: StoreKind.available)
        func partition(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 3) { (scene: Scene) async throws in
                for number in 0..<6 {
                    let job = try await scene.ask("a?n=\(number)").job
                    let expected = job.id.key.partition(of: 3)
                    #expect(job.partition == expected)
                    #expect(try await scene.store.job(job.id)?.partition == expected)
                    #expect(try await scene.status(job.id.key.text).job?.partition == expected)
                }
            }
            try await Scene.run(kind) { (scene: Scene) async throws in
                #expect(try await scene.ask("a").job.partition == nil)
                #expect(try await scene.status("a").job?.partition == nil)
            }
        }

        @Test("a queued event tells the position, as the job does", arguments: StoreKind.available)
        func toldPositions(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                try await scene.ask("b") { $0.priority = .low }
                try await scene.ask("c") { $0.delay = .seconds(5) }
                try await scene.ask("b") { $0.priority = .high }
                try await scene.ask("c")
                let claim = try await scene.claim()
                try await scene.ask("b") { $0.force = true }
                #expect(try await scene.store.handBack(claim, delay: .zero))
                let told = try await scene.events().filter { $0.kind == .queued }
                #expect(told.map(\.key.text) == ["a", "b", "c", "b", "c", "b"])
                #expect(told.map(\.position) == [1, 2, nil, 1, 3, 1])
                #expect(told.allSatisfy { $0.attempt == nil })
            }
        }
    }
}

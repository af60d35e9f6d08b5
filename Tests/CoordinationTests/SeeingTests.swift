import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("seeing")
    struct Seeing {
        @Test("the queue at a glance", arguments: StoreKind.available)
        func queue(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let empty = try await scene.store.queue()
                #expect(empty.waiting == 0)
                #expect(empty.oldestWaiting == nil)
                #expect(empty.completedPerSecond == 0)
                try await scene.fill(["a", "b", "c"])
                try await scene.ask("a")
                _ = try await scene.claim()
                try await scene.ask("dead") { $0.priority = .high }
                try await scene.fail(scene.claim(), retryAfter: nil)
                try await scene.ask("retry") { $0.priority = .high }
                try await scene.fail(scene.claim(), retryAfter: .seconds(90))
                try await scene.ask("b") { $0.priority = .low }
                scene.advance(.seconds(3))
                try await scene.ask("c") { $0.priority = .high }
                try await scene.ask("d") { $0.priority = .high }
                try await scene.ask("e") { $0.delay = .seconds(60) }
                scene.advance(.seconds(2))
                let queue = try await scene.store.queue()
                #expect(queue.waitingByPriority == [.high: 2, .normal: 0, .low: 1])
                #expect(queue.waiting == 3)
                #expect(queue.running == 1)
                #expect(queue.delayed == 2)
                #expect(queue.dead == 1)
                #expect(queue.oldestWaiting == .seconds(5))
                #expect(!queue.isPaused)
                #expect(queue.completedPerSecond == 4.0 / 60)
                scene.advance(.seconds(61))
                #expect(try await scene.store.queue().completedPerSecond == 0)
            }
        }

        @Test("workers are seen while they tell of themselves", arguments: StoreKind.available)
        func workers(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 2) { scene in
                let w1 = WorkerPresence(id: "w1", capacity: 4, running: 1, version: "1.2 beta")
                try await scene.store.announce(w1, timeout: .seconds(10))
                let seen = scene.clock.now
                scene.advance(.seconds(6))
                let w2 = WorkerPresence(id: "w2", capacity: 2, running: 0, version: "1.3")
                try await scene.store.announce(w2, timeout: .seconds(10))
                var workers = try await scene.store.queue().workers
                #expect(workers.map(\.id) == ["w1", "w2"])
                #expect(workers.map(\.capacity) == [4, 2])
                #expect(workers.map(\.running) == [1, 0])
                #expect(workers.map(\.version) == ["1.2 beta", "1.3"])
                #expect(workers.first?.lastSeen == seen)
                scene.advance(.seconds(5))
                workers = try await scene.store.queue().workers
                #expect(workers.map(\.id) == ["w2"])
                try await scene.store.withdraw(worker: "w2")
                #expect(try await scene.store.queue().workers.isEmpty)
                try await scene.store.withdraw(worker: "unknown")
            }
        }

        @Test("statuses come in order, of unknown keys too", arguments: StoreKind.available)
        func statuses(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 3) { scene in
                let names = (0..<130).map { "k?n=\($0)" }
                for name in names where name.hasSuffix("7") { try await scene.ask(name) }
                let keys = try names.map { try makeKey($0) }
                let statuses = try await scene.store.statuses(keys)
                #expect(statuses.map(\.key) == keys)
                for status in statuses {
                    #expect(status.now == scene.clock.now)
                    #expect((status.state == .queued) == status.key.text.hasSuffix("7"))
                }
                #expect(try await scene.store.statuses([]).isEmpty)
                #expect(try await scene.store.now() == scene.clock.now)
            }
        }

        @Test("estimates follow run times, workers and progress", arguments: StoreKind.available)
        func estimates(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let first = try await scene.ask("slow")
                #expect(first.job.estimatedRemaining == nil)
                let worker = WorkerPresence(id: "w1", capacity: 2, running: 0, version: "1")
                try await scene.store.announce(worker, timeout: .seconds(100_000))
                var claim = try await scene.claim()
                #expect(try await scene.status("slow").job?.estimatedRemaining == nil)
                scene.advance(.seconds(10))
                try await scene.publish(claim)

                // Nobody before it and a free slot: its own run time.
                let second = try await scene.ask("slow")
                #expect(second.job.estimatedRemaining == .seconds(10))
                #expect(try await scene.status("slow").job?.estimatedRemaining == .seconds(10))
                let delayed = try await scene.ask("other") { $0.delay = .seconds(100) }
                #expect(delayed.job.estimatedRemaining == .seconds(110))
                claim = try await scene.claim()
                scene.advance(.seconds(4))
                #expect(try await scene.status("slow").job?.estimatedRemaining == .seconds(6))
                let quarter = Progress(done: 10, total: 40)
                _ = try await scene.store.heartbeat([Heartbeat(claim: claim, progress: quarter)])
                #expect(try await scene.status("slow").job?.estimatedRemaining == .seconds(12))
                #expect(
                    try await scene.store.job(claim.jobID)?.estimatedRemaining == .seconds(12))
                #expect(try await scene.ask("slow").job.estimatedRemaining == .seconds(12))
                // A rerun: what the running one needs, and a run of its own.
                let rerun = try await scene.ask("slow") { $0.force = true }.job
                #expect(rerun.estimatedRemaining == .seconds(22))
                #expect(
                    try await scene.store.job(rerun.id)?.estimatedRemaining == .seconds(22))

                // More before it than slots: longer than its own run time.
                for key in ["a", "b", "c"] { try await scene.ask(key) }
                let last = try #require(await scene.ask("d").job.estimatedRemaining)
                #expect(last > .seconds(10))
                let next = try #require(await scene.status("a").job?.estimatedRemaining)
                #expect(next < last)
            }
        }

        @Test(
            "estimates know the cap on running jobs and the death of workers",
            arguments: StoreKind.available)
        func capacity(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let worker = WorkerPresence(id: "w1", capacity: 100, running: 0, version: "1")
                try await scene.store.announce(worker, timeout: .seconds(30))
                try await scene.ask("a")
                let first = try await scene.claim()
                scene.advance(.seconds(10))
                try await scene.publish(first)
                for index in 0..<21 { try await scene.ask("k?n=\(100 + index)") }
                var request = ClaimRequest(worker: "w1")
                request.maximumConcurrent = 1
                _ = try await scene.store.claim(request)
                let last = try #require(await scene.status("k?n=120").job?.estimatedRemaining)
                #expect(last >= .seconds(200))
                // Without a live worker nobody knows when it begins.
                let running = try #require(await scene.status("k?n=100").job)
                scene.advance(.seconds(31))
                _ = try await scene.cancel(running.id)
                #expect(try await scene.status("k?n=120").job?.estimatedRemaining == nil)
            }
        }
    }
}

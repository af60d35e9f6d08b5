import FreshetModel
import TestSupport
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("events and wake-ups")
    struct Feeds {
        @Test("events have ids that grow and can be resumed from", arguments: StoreKind.available)
        func resume(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let nothing = try await scene.store.latestEvents()
                #expect(nothing.count == 1)
                #expect(try await scene.store.events(after: nothing[0], limit: 10) == [])
                for key in ["a", "b", "c"] { try await scene.ask(key) }
                _ = try await scene.claims()
                let all = try await scene.events()
                #expect(all.count == 6)
                #expect(all.map(\.id) == all.map(\.id).sorted())
                #expect(Set(all.map(\.id)).count == 6)
                #expect(try await scene.store.events(after: nothing[0], limit: 10) == all)
                for (index, event) in all.enumerated() {
                    #expect(EventID(event.id.description) == event.id)
                    let rest = try await scene.store.events(after: event.id, limit: 10)
                    #expect(rest == Array(all[(index + 1)...]))
                    let two = try await scene.store.events(after: event.id, limit: 2)
                    #expect(two == Array(all[(index + 1)...].prefix(2)))
                }
                let latest = try await scene.store.latestEvents()[0]
                #expect(try await scene.store.events(after: latest, limit: 10) == [])
                try await scene.ask("d")
                let after = try await scene.store.events(after: latest, limit: 10)
                #expect(after?.map(\.key.text) == ["d"])
            }
        }

        @Test(
            "an id of another log, or past the end, cannot be resumed",
            arguments: StoreKind.available)
        func gap(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let id = try #require(await scene.events().last?.id)
                var other = id
                other.epoch -= 1
                #expect(try await scene.store.events(after: other, limit: 10) == nil)
                other = id
                other.epoch += 1
                #expect(try await scene.store.events(after: other, limit: 10) == nil)
                other = id
                other.sequence += 5
                #expect(try await scene.store.events(after: other, limit: 10) == nil)
                other = id
                other.partition = 7
                #expect(try await scene.store.events(after: other, limit: 10) == nil)
            }
        }

        @Test(
            "the log is bounded, and tells when something is gone", arguments: StoreKind.available)
        func bounded(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                let claim = try await scene.claim()
                let early = try #require(await scene.events().first?.id)
                // One entry each, a hundred to a call would be one.
                for index in 0..<(Limits.events + 2000) {
                    let beat = Heartbeat(claim: claim, progress: Progress(done: Double(index)))
                    _ = try await scene.store.heartbeat([beat])
                }
                #expect(try await scene.store.events(after: early, limit: 10) == nil)
                let beginning = EventID(partition: 0, epoch: 0, sequence: 0)
                #expect(try await scene.store.events(after: beginning, limit: 10) == nil)
                let latest = try await scene.store.latestEvents()[0]
                var recent = latest
                recent.sequence -= Int64(Limits.events - 1)
                let found = try await scene.store.events(after: recent, limit: 20_000)
                #expect(found?.count == Limits.events - 1)
            }
        }

        @Test("each partition has a log of its own", arguments: StoreKind.available)
        func partitions(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 3) { scene in
                for index in 0..<20 { try await scene.ask("k?n=\(index)") }
                var count = 0
                for partition in 0..<3 {
                    let events = try await scene.events(partition)
                    #expect(events.allSatisfy { $0.id.partition == partition })
                    #expect(events.allSatisfy { $0.key.partition(of: 3) == partition })
                    #expect(events.map(\.id.sequence) == Array(1...Int64(max(1, events.count))))
                    count += events.count
                }
                #expect(count == 20)
                #expect(try await scene.store.latestEvents().map(\.partition) == [0, 1, 2])
            }
        }

        @Test("a feed begins suspect and then tells all in order", arguments: StoreKind.available)
        func feed(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("before")
                var feeds = [
                    scene.store.feed().makeAsyncIterator(), scene.store.feed().makeAsyncIterator(),
                ]
                for index in feeds.indices {
                    #expect(await feeds[index].next() == .suspect(partition: 0))
                }
                let latest = try await scene.store.latestEvents()[0]
                try await scene.ask("a")
                for claim in try await scene.claims() { try await scene.publish(claim) }
                let expected = try #require(await scene.store.events(after: latest, limit: 100))
                #expect(expected.count == 5)
                for index in feeds.indices {
                    var seen: [RefreshEvent] = []
                    while seen.count < expected.count, let item = await feeds[index].next() {
                        if case .events(let events) = item { seen += events }
                    }
                    #expect(seen == expected)
                }
            }
        }

        @Test("who waits for work is woken by it", arguments: StoreKind.available)
        func wake(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let store = scene.store
                // Nothing to do: the timeout ends the wait.
                try await store.waitForWork(timeout: .milliseconds(20))
                // Work that came before the wait counts.
                try await scene.ask("a")
                try await within(.seconds(4), "the wake-up kept from before") {
                    try await store.waitForWork(timeout: .seconds(5))
                }
                _ = try await scene.claims()
                try await within(.seconds(4), "the wake-up while waiting") {
                    async let woken: Void = store.waitForWork(timeout: .seconds(5))
                    try await scene.ask("b")
                    try await woken
                }
                // Chained: who claims while more wait wakes the next.
                try await scene.ask("c")
                try await store.waitForWork(timeout: .seconds(5))
                _ = try await scene.claim()
                try await within(.seconds(4), "the chained wake-up") {
                    try await store.waitForWork(timeout: .seconds(5))
                }
            }
        }

        @Test("every way into the queue wakes a worker", arguments: StoreKind.available)
        func wakes(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let store = scene.store
                func woken(_ what: String) async throws {
                    try await within(.seconds(4), "woken after \(what)") {
                        try await store.waitForWork(timeout: .seconds(5))
                    }
                }
                try await scene.ask("a") { $0.delay = .seconds(5) }
                try await woken("a delayed ask, to sleep less")
                try await scene.ask("a")
                try await woken("the end of a delay")
                #expect(try await store.handBack(scene.claim(), delay: .zero))
                try await woken("a hand-back")
                try await scene.fail(scene.claim(), retryAfter: .seconds(5))
                try await woken("a failed attempt, to sleep less")
                scene.advance(.seconds(5))
                try await scene.maintain()
                try await woken("a promotion")
                _ = try await scene.claim()
                scene.advance(.seconds(10))
                try await scene.maintain()
                try await woken("a reaped lease")
                let claim = try await scene.claim()
                try await scene.ask("a") { $0.force = true }
                try await scene.publish(claim)
                try await woken("a rerun")
                try await store.setPaused(true)
                try await store.setPaused(false)
                try await woken("the end of a pause")
            }
        }

        @Test("a wait ends when its task is cancelled", arguments: [StoreKind.memory])
        func cancelled(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let store = scene.store
                try await within(.seconds(4), "the cancelled wait") {
                    await withTaskGroup { group in
                        group.addTask { try? await store.waitForWork(timeout: .seconds(3600)) }
                        group.cancelAll()
                    }
                }
                // It left nothing behind that would swallow the next wake-up.
                try await scene.ask("a")
                try await within(.seconds(4), "the next wake-up") {
                    try await store.waitForWork(timeout: .seconds(3600))
                }
            }
        }
    }

    @Test("a feed nobody reads ends in suspect, not in silence")
    func outlet() async throws {
        let (stream, made) = FeedOutlet.make(partitions: 2, suspect: 0..<2, capacity: 10)
        var outlet = made
        let event = RefreshEvent(
            id: EventID(partition: 1, epoch: 1, sequence: 1), kind: .queued,
            key: try makeKey("a"), jobID: nil, version: 0, at: Timestamp(milliseconds: 1))
        for _ in 0..<100 { outlet.deliver([event], of: 1) }
        var iterator = stream.makeAsyncIterator()
        var items: [FeedItem] = []
        while items.count < 14, let item = await iterator.next() { items.append(item) }
        #expect(items.prefix(2) == [.suspect(partition: 0), .suspect(partition: 1)])
        #expect(items.suffix(2) == [.suspect(partition: 0), .suspect(partition: 1)])
        #expect(items.filter { $0 == .events([event]) }.count == 10)
        // Room again: first suspect, then events.
        items = []
        outlet.deliver([event], of: 1)
        outlet.deliver([event], of: 1)
        while items.count < 2, let item = await iterator.next() { items.append(item) }
        #expect(items == [.suspect(partition: 1), .events([event])])
    }
}

/// Fails when `body` takes longer than `limit`.
func within(
    _ limit: Duration, _ what: String, _ body: () async throws -> Void
) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    try await body()
    #expect(clock.now - start < limit, "\(what)")
}

import FreshetModel
import TestSupport
import Testing

@testable import Coordination

/// Data that no script of ours leaves behind: evicted, restored in part, or changed by hand. A key
/// must never be stuck with them.
@Suite("Half-states", .timeLimit(.minutes(2)))
struct HalfStateTests {
    @Test("a record that waits outside of the queue is put back by the next ask")
    func lostPlace() async throws {
        try await LiveStore.run { live in
            let first = try await live.scene.ask("a")
            try await live.raw("ZREM", "waiting", "a")
            #expect(try await live.scene.claims().isEmpty)
            let second = try await live.scene.ask("a")
            #expect(second.job.id == first.job.id)
            #expect(second.job.position == 1)
            #expect(try await live.scene.claims().map(\.jobID) == [first.job.id])
        }
    }

    @Test("a job that runs without a lease is found by the next ask and runs again")
    func lostLease() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            let claim = try await live.scene.claim()
            try await live.raw("ZREM", "leased", "a")
            #expect(try await live.scene.ask("a").status == .running)
            // From then on its lease has ended, and upkeep takes it from there.
            try await eventually("it waits again") {
                try await live.scene.maintain()
                return try await live.scene.status("a").state == .queued
            }
            let next = try await live.scene.claim()
            #expect(next.jobID == claim.jobID)
            #expect(next.fence > claim.fence)
            #expect(try await live.scene.publish(claim) == .leaseLost)
        }
    }

    @Test("where whole sets were evicted, whoever reads asks again, and the jobs go on")
    func evictedSets() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("waits")
            try await live.scene.ask("runs") { $0.priority = .high }
            let claim = try await live.scene.claim()
            let later = try await live.scene.ask("later") { $0.delay = .milliseconds(50) }
            for place in ["waiting", "delayed", "leased"] { try await live.raw("DEL", place) }
            for key in ["waits", "runs", "later"] {
                // Not under way, so that reads, schedules and people know to ask.
                let status = try await live.scene.status(key)
                #expect(status.state == .idle)
                #expect(status.job == nil)
                guard case .accepted = try await live.scene.outcome(key, { $0.origin = .read })
                else { throw Scene.Unexpected("\(key) was not accepted") }
                #expect(try await live.scene.status(key).state != .idle)
            }
            // By its id it could be found all along.
            #expect(try await live.store.job(later.job.id) != nil)
            var keys: Set<String> = []
            try await eventually("all are claimed again") {
                try await live.scene.maintain()
                keys.formUnion(try await live.scene.claims().map(\.key.text))
                return keys == ["waits", "runs", "later"]
            }
            #expect(try await live.scene.publish(claim) == .leaseLost)
        }
    }

    @Test("a lease whose record is gone ends, and the key waits again")
    func lostRecord() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            let claim = try await live.scene.claim(lease: .milliseconds(100))
            try await live.raw("DEL", "k:a")
            #expect(try await live.scene.publish(claim) == .leaseLost)
            try await eventually("upkeep mends it") {
                try await live.scene.maintain().repaired > 0
            }
            #expect(try await live.raw("ZCARD", "leased") == "0")
            #expect(try await live.raw("EXISTS", "lock:a") == "0")
            let next = try await live.scene.claim()
            #expect(try await live.scene.publish(next) == .published(version: 1))
        }
    }

    @Test("a key that waits without its record is a plain job")
    func bareKey() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            try await live.raw("DEL", "k:a")
            let claim = try await live.scene.claim()
            #expect(claim.key.text == "a")
            #expect(claim.attempt == 1)
            #expect(try await live.scene.publish(claim) == .published(version: 1))
        }
    }

    @Test("a retry that nobody would promote is put back by the next ask")
    func lostDelay() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            try await live.scene.fail(live.scene.claim(), retryAfter: .milliseconds(1))
            try await live.raw("ZREM", "delayed", "a")
            _ = try await live.scene.outcome("a") { $0.origin = .monitor }
            try await eventually("it is claimed") { try await !live.scene.claims().isEmpty }
        }
    }

    @Test("a key both waiting and leased runs once")
    func twoPlaces() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            let claim = try await live.scene.claim()
            try await live.raw("ZADD", "waiting", "1", "a")
            #expect(try await live.scene.claims().isEmpty)
            #expect(try await live.scene.publish(claim) == .published(version: 1))
            #expect(try await live.scene.status("a").state == .idle)
        }
    }

    @Test("a payload that was evicted is nothing kept, and comes back with the next version")
    func evictedPayload() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("a")
            try await live.scene.publish(live.scene.claim())
            try await live.raw("DEL", "p:a")
            let read = try await live.store.read(makeKey("a"), held: nil)
            #expect(read.bytes == nil)
            #expect(read.status.payload == nil)
            try await live.scene.ask("a")
            let claim = try await live.scene.claim()
            // There is nothing to renew either.
            #expect(try await live.scene.renew(claim) == .nothingToRenew)
            #expect(try await live.scene.publish(claim) == .published(version: 2))
        }
    }

    @Test("garbage in a record is read as if it were not there")
    func garbage() async throws {
        try await LiveStore.run { live in
            for junk in ["", "nan", "inf", "1e400", "-1", "abc", "0x10", "\u{1F}", "9e99"] {
                try await live.raw(
                    "HSET", "k:a", "fence", junk, "v", junk, "run", junk, "att", junk, "ls", junk,
                    "lost", junk, "fu", junk, "ku", junk, "vf", junk)
                _ = try await live.scene.status("a")
                try await live.scene.ask("a")
                let claim = try await live.scene.claim()
                #expect(claim.fence > 0)
                guard case .published(let version) = try await live.scene.publish(claim) else {
                    throw Scene.Unexpected("not published over \(junk)")
                }
                #expect(version >= 0)
                try await live.scene.purge("a")
            }
        }
    }

    @Test("a key of another type is an error that says so, and disturbs no other key")
    func wrongType() async throws {
        try await LiveStore.run { live in
            try await live.raw("SET", "k:a", "nonsense")
            await #expect(throws: RefreshError.self) { try await live.scene.ask("a") }
            try await live.scene.ask("b")
            let claim = try await live.scene.claim()
            #expect(claim.key.text == "b")
            #expect(try await live.scene.publish(claim) == .published(version: 1))
        }
    }

    @Test("nothing that waits, is delayed or dead has an end of its own; a live lease's lock has")
    func lifetimes() async throws {
        try await LiveStore.run { live in
            try await live.scene.ask("waiting")
            try await live.scene.ask("later") { $0.delay = .seconds(60) }
            for name in ["waiting", "delayed", "k:waiting", "k:later", "meta"] {
                #expect(try await live.raw("PTTL", name) == "-1", "\(name)")
            }
            let claim = try await live.scene.claim(lease: .seconds(20))
            let rest = Int(try await live.raw("PTTL", "lock:waiting")) ?? 0
            #expect((1...20_000).contains(rest))
            #expect(try await live.raw("GET", "lock:waiting") == "\(claim.fence):\(claim.nonce)")
            try await live.scene.publish(claim)
            #expect(try await live.raw("EXISTS", "lock:waiting") == "0")
        }
    }
}

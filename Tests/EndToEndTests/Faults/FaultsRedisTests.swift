import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A Redis that dies, hangs, forgets, is full or drops its clients, under clients who read, ask and
/// listen all the while (S1-S8, L2, L3 of docs/guarantees.md).
@Suite("When Redis fails", .serialized, .timeLimit(.minutes(10)))
struct FaultsRedisTests {
    private static let keys = ["a", "b"]

    /// Two API processes and two workers; `a` and `b` are kept and held by both, `cold` never is.
    private static func withFleet(
        _ arguments: [String] = [], freshFor: String = "never",
        _ body: (Fleet, Traffic) async throws -> Void
    ) async throws {
        try await Fleet.run(apis: 2, workers: 2, redis: arguments) { source in
            (keys + ["cold"]).map {
                "  \($0): {fresh_for: \(freshFor), source: \(source.configuration(seconds: 0.05))}"
            }
            .joined(separator: "\n")
        } _: { fleet in
            let traffic = Traffic(fleet: fleet, keys: keys)
            for key in keys {
                for process in fleet.ports.indices {
                    #expect(await traffic.readOnce(key, process) != nil)
                }
            }
            try await body(fleet, traffic)
        }
    }

    /// Traffic goes on until every key has got so many versions more.
    private static func publish(_ count: Int, _ traffic: Traffic) async throws {
        func versions() -> [Int] {
            let sights = traffic.history.records.sights
            return keys.map { key in sights.reduce(0) { $1.key == key ? max($0, $1.version) : $0 } }
        }
        let before = versions()
        try await eventually("\(count) versions more", deadline: .seconds(20)) {
            zip(before, versions()).allSatisfy { $0 + count <= $1 }
        }
    }

    /// What is kept is served, what is not is refused within a second, by every process.
    private static func expectOutage(_ fleet: Fleet, _ traffic: Traffic) async throws {
        for (process, client) in fleet.clients.enumerated() {
            for key in keys {
                let started = ContinuousClock.now
                #expect(await traffic.readOnce(key, process) != nil)
                // The first of all may find that a version it was told of cannot be had.
                #expect(.now - started < .milliseconds(700))
            }
            let started = ContinuousClock.now
            let cold = try await client.get("/v1/resources/cold")
            #expect(.now - started < .milliseconds(1200))
            #expect(cold.status == 503)
            #expect(cold.text.contains("\"redis_unavailable\""))
            let asked = try await client.post("/v1/resources/a/refresh")
            #expect(asked.status == 503)
            #expect(asked.text.contains("\"redis_unavailable\""))
            #expect(asked.headers["retry-after"] != nil)
        }
    }

    /// Refused reads of what is held: there must never be one.
    private static func refusedReads(_ traffic: Traffic) -> [History.Refusal] {
        traffic.history.records.refusals.filter { keys.contains($0.path) }
    }

    @Test("killed and started again on its append-only file: nothing accepted is lost")
    func killed() async throws {
        try await Self.withFleet(["--appendonly", "yes"]) { fleet, traffic in
            try await traffic.run {
                try await Self.publish(3, traffic)
                for _ in 0..<2 {
                    let began = History.now()
                    try await fleet.redis.kill()
                    try await Self.expectOutage(fleet, traffic)
                    try await fleet.redis.restart()
                    try await fleet.waitUntilReady(deadline: .seconds(5))
                    traffic.history.add(outage: began...History.now())
                    try await Self.publish(3, traffic)
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
        }
    }

    @Test("frozen for 5 s: held payloads at once, others 503 within a second, nothing hangs")
    func frozen() async throws {
        try await Self.withFleet { fleet, traffic in
            try await traffic.run {
                try await Self.publish(2, traffic)
                let began = History.now()
                fleet.redis.freeze()
                let end = ContinuousClock.now + .seconds(5)
                repeat { try await Self.expectOutage(fleet, traffic) } while .now < end
                fleet.redis.resume()
                try await fleet.waitUntilReady(deadline: .seconds(5))
                traffic.history.add(outage: began...History.now())
                try await Self.publish(3, traffic)
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
            let slowest = traffic.history.records.refusals.map { $0.answered - $0.sent }.max()
            #expect((slowest ?? 0) < 1_500_000_000)
        }
    }

    @Test("its scripts are flushed again and again: nobody notices")
    func scriptsFlushed() async throws {
        try await Self.withFleet { fleet, traffic in
            try await traffic.run {
                for _ in 0..<25 {
                    try await fleet.redis.cli("SCRIPT", "FLUSH")
                    try await Self.publish(1, traffic)
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(traffic.history.records.refusals == [])
        }
    }

    @Test("every connection is cut again and again: replies are lost, jobs and versions are not")
    func connectionsCut() async throws {
        try await Self.withFleet { fleet, traffic in
            try await traffic.run {
                for _ in 0..<4 {
                    try await fleet.redis.cli("CLIENT", "KILL", "TYPE", "normal")
                    try await fleet.redis.cli("CLIENT", "KILL", "TYPE", "pubsub")
                    // A connection that does not live for a second is made again ever more seldom.
                    let settled = ContinuousClock.now + .milliseconds(1100)
                    try await Self.publish(1, traffic)
                    try await eventually("connections count as good") { .now > settled }
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
            // A call whose reply is lost is refused at worst, and says why.
            let codes = Set(traffic.history.records.refusals.map(\.code))
            #expect(codes.isSubset(of: ["redis_unavailable"]))
        }
    }

    @Test("all data are gone: held payloads are served, each key is made once, waiters end")
    func flushed() async throws {
        try await Self.withFleet(freshFor: "1h") { fleet, traffic in
            var wipe = Int64.max
            for key in Self.keys + Self.keys {
                let job = try #require(await traffic.askOnce(key, 0))
                try await eventually("\(job) ends") {
                    try await fleet.clients[0].get("/v1/jobs/\(job)").text.contains("succeeded")
                }
            }
            try await traffic.run([.reader, .listener]) {
                try await Self.publish(0, traffic)
                // Somebody waits for a key whose running job is about to vanish.
                try fleet.source.hold("cold", run: 1)
                async let waiter = fleet.clients[1].get("/v1/resources/cold")
                try await eventually("its source runs") {
                    fleet.source.runs(of: "cold").count == 1
                }
                wipe = History.now()
                try await fleet.redis.cli("FLUSHALL")
                fleet.source.release("cold", run: 1)
                for key in Self.keys {
                    try await eventually("\(key) is made again", deadline: .seconds(12)) {
                        let answer = try await fleet.clients[0].get("/v1/resources/\(key)/status")
                        return answer.text.contains("\"cache_valid\":true")
                    }
                }
                let waited = try await waiter
                #expect(waited.status == 200)
            }
            let violations = try await traffic.violations(wipe: wipe)
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
            for key in Self.keys {
                #expect(fleet.source.runs(of: key).count == 4)
                // Those who hold version 3 are not given a lower one.
                #expect(await traffic.readOnce(key, 0) == "4")
            }
            #expect(fleet.source.runs(of: "cold").count == 2)
        }
    }

    @Test("its queue is evicted: those who read what is stale fill it again")
    func evicted() async throws {
        try await Self.withFleet(freshFor: "always") { fleet, traffic in
            try await traffic.run([.reader]) {
                try await Self.publish(2, traffic)
                for _ in 0..<3 {
                    for set in ["waiting", "leased", "delayed", "wake"] {
                        try await fleet.redis.cli("DEL", "{freshet:0}:" + set)
                    }
                    try await Self.publish(1, traffic)
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
        }
    }

    @Test("far away: asks take a few round trips, held payloads none, leases hold")
    func far() async throws {
        try await Fleet.run(delay: .milliseconds(80)) { source in
            "  a: {fresh_for: never, source: \(source.configuration(seconds: 1.2))}"
        } _: { fleet in
            let traffic = Traffic(fleet: fleet, keys: ["a"])
            try await traffic.run([.listener]) {
                #expect(await traffic.readOnce("a", 0) == "1")
                let started = ContinuousClock.now
                for _ in 0..<20 { await traffic.readOnce("a", 0) }
                #expect(.now - started < .milliseconds(500))
                let asked = ContinuousClock.now
                let job = try #require(await traffic.askOnce("a", 0))
                #expect(.now - asked < .milliseconds(700))
                // It runs for longer than its lease.
                try await eventually("\(job) ends", deadline: .seconds(8)) {
                    await traffic.readOnce("a", 0) == "2"
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(fleet.source.runs().count == 2)
        }
    }

    @Test("full: refreshes are refused with a reason, reads work, nothing is announced unwritten")
    func full() async throws {
        try await Self.withFleet { fleet, traffic in
            try await traffic.run([.reader, .listener]) {
                try fleet.source.hold("a", run: 2)
                let held = try #require(await traffic.askOnce("a", 0))
                try await eventually("it runs") { fleet.source.runs(of: "a").count == 2 }
                try await fleet.redis.cli("CONFIG", "SET", "maxmemory", "100kb")
                fleet.source.release("a", run: 2)
                for client in fleet.clients {
                    let refused = try await client.post("/v1/resources/b/refresh")
                    #expect(refused.status == 503)
                    #expect(refused.text.contains("\"redis_refuses_writes\""))
                    let ready = try await client.get("/ready")
                    #expect(ready.status == 503)
                    #expect(ready.text.contains("redis_refuses_writes"))
                }
                // Its publication is refused for longer than its lease lasts.
                let end = ContinuousClock.now + .milliseconds(1500)
                repeat {
                    for process in fleet.ports.indices {
                        #expect(await traffic.readOnce("a", process) == "1")
                    }
                } while .now < end
                #expect(!traffic.history.records.events.contains { $0.type == "updated" })
                try await fleet.redis.cli("CONFIG", "SET", "maxmemory", "0")
                try await fleet.waitUntilReady(deadline: .seconds(5))
                try await eventually("the held job ends", deadline: .seconds(8)) {
                    try await fleet.clients[0].get("/v1/jobs/\(held)").text.contains("succeeded")
                }
                try await eventually("and is announced") {
                    traffic.history.records.events.contains { $0.type == "updated" }
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            #expect(Self.refusedReads(traffic) == [])
        }
    }
}

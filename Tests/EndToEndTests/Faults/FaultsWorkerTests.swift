import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Workers that die or hang in the middle of a job (S1, S3, S6, L1 of docs/guarantees.md).
@Suite("When workers die", .serialized, .timeLimit(.minutes(15)))
struct FaultsWorkerTests {
    private struct JobView: Decodable {
        var state: String
        var attempt: Int
        var worker: String?
        var version: Int?
    }

    private static func job(_ id: String, _ client: HTTPClient) async throws -> JobView {
        let answer = try await client.get("/v1/jobs/\(id)")
        return try JSONDecoder().decode(JobView.self, from: Data(answer.body))
    }

    /// Which of the fleet's workers runs a job, by the process id in its name.
    private static func holder(of id: String, in fleet: Fleet) async throws -> Fleet.Member {
        try await eventualValue("\(id) has a worker") {
            let name = try await job(id, fleet.clients[0]).worker ?? ""
            let pid = name.split(separator: "-").dropLast().last.flatMap { Int32($0) }
            return try [0, 1].map(Fleet.Member.worker).first { try fleet.process($0).pid == pid }
        }
    }

    /// One lane of kills, one after the other, each with a new job.
    private static func killInARow(_ count: Int) async throws -> [Duration] {
        var times: [Duration] = []
        try await Fleet.run(workers: 2) {
            "  slow: {fresh_for: never, source: \($0.configuration())}"
        } _: { fleet in
            let traffic = Traffic(fleet: fleet, keys: ["slow"])
            try await traffic.run([.listener]) {
                for _ in 0..<count {
                    let before = fleet.source.runs().count
                    try fleet.source.hold("slow", run: before + 1)
                    let job = try #require(await traffic.askOnce("slow", 0))
                    try await eventually("the source runs") {
                        fleet.source.runs().count == before + 1
                    }
                    let victim = try await holder(of: job, in: fleet)
                    let killed = History.now()
                    try await fleet.kill(victim)
                    let rerun = try await eventualValue("it runs again", deadline: .seconds(10)) {
                        fleet.source.runs().dropFirst(before + 1).first
                    }
                    #expect(rerun.job == job)
                    times.append(.nanoseconds(rerun.start - killed))
                    fleet.source.release("slow", run: before + 1)
                    try await fleet.start(victim)
                    try await eventually("the job ends") {
                        try await Self.job(job, fleet.clients[0]).state == "succeeded"
                    }
                    #expect(try await Self.job(job, fleet.clients[0]).attempt == 1)
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            let records = traffic.history.records
            #expect(records.asks.count == count)
            #expect(records.refusals.isEmpty)
            // Clients of the API notice nothing of workers: one stream held through all of it.
            #expect(Set(records.events.map(\.stream)) == ["stream 0.1"])
            #expect(records.events.count { $0.type == "updated" } == count)
        }
        return times
    }

    @Test("killed in the middle of a job, again and again: each runs again within a lease and 2 s")
    func kills() async throws {
        let asked = ProcessInfo.processInfo.environment["FRESHET_TEST_KILLS"].flatMap { Int($0) }
        let kills = asked ?? 20
        let lanes = 4
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for lane in 0..<lanes {
                let share = (kills + lane) / lanes
                group.addTask { try await Self.killInARow(share) }
            }
            return try await group.reduce(into: [], +=).sorted()
        }
        #expect(times.count == kills)
        let last = try #require(times.last)
        print(
            "killed \(kills) times with a lease of 1 s; until the job ran again:",
            "p50 \(times[kills / 2]), p99 \(times[(kills * 99 - 1) / 100]), max \(last)")
        #expect(last <= .seconds(3))
    }

    @Test("frozen past its lease with three jobs, a worker cannot publish over those that followed")
    func zombie() async throws {
        let keys = ["a", "b", "c"]
        try await Fleet.run(workers: 1) { source in
            keys.map { "  \($0): {fresh_for: never, source: \(source.configuration())}" }
                .joined(separator: "\n")
        } _: { fleet in
            let traffic = Traffic(fleet: fleet, keys: keys)
            try await traffic.run([.listener, .reader]) {
                for key in keys {
                    try fleet.source.hold(key, run: 1)
                    #expect(await traffic.askOnce(key, 0) != nil)
                }
                try await eventually("all three run") { fleet.source.runs().count == 3 }
                let zombie = try fleet.process(.worker(0))
                zombie.send(signal: SIGSTOP)
                try await fleet.start(.worker(1))
                for key in keys {
                    try await eventually("\(key) is published by another", deadline: .seconds(8)) {
                        await traffic.readOnce(key, 0) == "1"
                    }
                }
                // What the frozen worker waited for is there now, and older than what is kept.
                for key in keys { fleet.source.release(key, run: 1) }
                zombie.send(signal: SIGCONT)
                try await eventually("it sees that its leases are lost") {
                    zombie.lines(.error).count { $0.contains("job.lost") } == 3
                }
                for key in keys {
                    #expect(await traffic.readOnce(key, 0) == "1")
                    #expect(fleet.source.runs(of: key).count == 2)
                }
                // It works on as if nothing had been, when it is the only one.
                try await fleet.kill(.worker(1))
                let next = try #require(await traffic.askOnce("a", 0))
                try await eventually("its next job", deadline: .seconds(8)) {
                    try await Self.job(next, fleet.clients[0]).version == 2
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            let loads = traffic.history.records.sights.filter { $0.version == 1 }.map(\.load)
            for key in keys {
                let second = fleet.source.runs(of: key)[1].start
                #expect(loads.contains(second))
            }
        }
    }
}

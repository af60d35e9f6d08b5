import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// API processes that die under their clients (S6, S8, L2 of docs/guarantees.md).
@Suite("When API processes die", .serialized, .timeLimit(.minutes(10)))
struct FaultsAPITests {
    @Test("killed under readers, askers and listeners: the other notices nothing, jobs go on")
    func underLoad() async throws {
        try await Fleet.run(apis: 2, workers: 2) { source in
            ["a", "b"].map {
                "  \($0): {fresh_for: never, source: \(source.configuration(seconds: 0.05))}"
            }
            .joined(separator: "\n")
        } _: { fleet in
            let traffic = Traffic(fleet: fleet, keys: ["a", "b"])
            try await traffic.run {
                for _ in 0..<3 {
                    let seen = traffic.history.records.events.count
                    try await eventually("traffic flows", deadline: .seconds(10)) {
                        traffic.history.records.events.count > seen + 20
                    }
                    try await fleet.kill(.api(1))
                    try await fleet.start(.api(1))
                    try await fleet.waitUntilReady()
                }
            }
            let violations = try await traffic.violations()
            #expect(violations == [])
            let refusals = traffic.history.records.refusals
            #expect(refusals.filter { $0.process == 0 } == [])
            // Of the killed one only connections broke: whoever got an answer got a right one.
            #expect(refusals.filter { $0.status != nil } == [])
        }
    }

    @Test("a stream that breaks off is resumed at another process and ends once")
    func stream() async throws {
        try await Fleet.run(apis: 2) {
            "  slow: {fresh_for: never, source: \($0.configuration())}"
        } _: { fleet in
            let path = "/v1/resources/slow?stream=true&refresh=true"
            try fleet.source.hold("slow", run: 1)
            let first = try fleet.clients[1].stream(path)
            var last: String?
            for await line in first.lines {
                if line.hasPrefix("id:") { last = Self.field(line) }
                if line.hasPrefix("event:"), Self.field(line) == "running" { break }
            }
            let killed = ContinuousClock.now
            try await fleet.kill(.api(1))
            let id = try #require(last)
            let second = try fleet.clients[0].stream(
                "/v1/resources/slow?stream=true", headers: ["Last-Event-ID": id])
            fleet.source.release("slow", run: 1)
            var types: [String] = []
            for await line in second.lines where line.hasPrefix("event:") {
                types.append(Self.field(line))
            }
            #expect(.now - killed < .seconds(3))
            #expect(types.suffix(2) == ["updated", "done"])
            #expect(types.count { $0 == "updated" } == 1)
            #expect(fleet.source.runs().count == 1)
        }
    }

    private static func field(_ line: String) -> String {
        String(line.drop { $0 != ":" }.dropFirst()).filter { $0 != " " }
    }
}

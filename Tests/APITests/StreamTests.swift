import Coordination
import FreshetModel
import TestSupport
import Testing

@Suite("event streams")
struct StreamTests {
    @Test("a read as a stream: cached, the refresh, updated, done")
    func life() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let client = try await api.events("/api/cinema?stream=true&refresh=true")
            #expect(client.response.field("Content-Type")?.hasPrefix("text/event-stream") == true)
            #expect(client.response.field("X-Accel-Buffering") == "no")
            let first = try await client.events(until: "queued")
            #expect(first.map(\.type) == ["cached", "queued"])
            #expect(first[0].json["payload"]["items"][0].number == 1)
            #expect(first[1].json["position"].number == 1)
            let claim = try await api.claim()
            _ = try await api.store.base.heartbeat([
                Heartbeat(claim: claim, progress: Progress(done: 1, total: 4, message: "page 1"))
            ])
            try await api.publish(claim, "[1,2]")
            let rest = try await client.events()
            #expect(rest.map(\.type) == ["running", "progress", "updated", "done"])
            #expect(rest[1].json["percent"].number == 25)
            #expect(rest[1].json["message"].string == "page 1")
            #expect(rest[2].json["payload"]["items"].elements.count == 2)
            #expect(rest[2].json["payload"]["version"].number == 2)
            #expect((first + rest).allSatisfy { !$0.id.isEmpty })
        }
    }

    @Test("with nothing under way: cached, done")
    func idle() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let client = try await api.events("/api/cinema?stream=true")
            #expect(try await client.events().map(\.type) == ["cached", "done"])
        }
    }

    @Test("cold: no cached, and the payload when it comes; failed when it never will")
    func cold() async throws {
        try await APIFixture.run { api in
            let client = try await api.events("/api/cinema?stream=true")
            _ = try await client.events(until: "queued")
            try await api.fail(try await api.claim(), "gone")
            let rest = try await client.events()
            #expect(rest.map(\.type) == ["running", "failed", "done"])
            #expect(rest[1].json["error"].string == "gone")
            let late = try await api.events("/api/cinema?stream=true")
            #expect(try await late.events().map(\.type) == ["failed", "done"])
        }
    }

    @Test("a client that comes back gets only what came after its id")
    func resume() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let client = try await api.events("/api/cinema?stream=true&refresh=true")
            let first = try await client.events(until: "queued")
            let claim = try await api.claim()
            try await api.publish(claim, "[1,2]")
            let rest = try await client.events()
            let id = try #require(first.last?.id)
            let back = try await api.events("/api/cinema?stream=true", ["Last-Event-ID": id])
            let again = try await back.events()
            #expect(again.map(\.type).suffix(3) == ["running", "updated", "done"])
            let done = try #require(rest.last?.id)
            let over = try await api.events("/api/cinema?stream=true", ["Last-Event-ID": done])
            #expect(try await over.events().map(\.type) == ["done"])
            let wrong = try await api.get("/v1/events", ["Last-Event-ID": "nonsense"])
            #expect(wrong.status == 400)
        }
    }

    @Test("/v1/events tells what changes, of one key, of a job, of all", arguments: [1, 4])
    func events(partitions: Int) async throws {
        try await APIFixture.run(partitions: partitions) { api in
            let all = try await api.events("/v1/events")
            let key = try await api.events("/v1/events?key=cinema")
            let other = try await api.events("/v1/events?key=films")
            let asked = try await api.post("/v1/resources/cinema/refresh")
            let job = try #require(asked.json["job_id"].string)
            let ofJob = try await api.events("/v1/events?job=\(job)")
            try await api.publish(try await api.claim(), "[1]")
            let told = try await key.events(until: "updated")
            #expect(told.map(\.type) == ["queued", "running", "updated"])
            #expect(told.last?.json["job_id"].string == job)
            #expect(told.last?.json["version"].number == 1)
            #expect(told.last?.json["payload"] == .null)
            #expect(try await all.events(until: "updated").map(\.type) == told.map(\.type))
            #expect(try await ofJob.events().map(\.type).suffix(2) == ["updated", "done"])
            try await api.keep("films", "1")
            #expect(try await other.events(until: "updated").count == 3)
            // The job is over: its end is seen from the state.
            let late = try await api.events("/v1/events?job=\(job)")
            #expect(try await late.events().map(\.type) == ["updated", "done"])
            #expect(try await api.get("/v1/events?job=1-cinema").status == 404)
            #expect(try await api.get("/v1/events?key=unknown").status == 404)
        }
    }

    @Test("a stream over all partitions resumes in each", arguments: [1, 4])
    func resumeAll(partitions: Int) async throws {
        try await APIFixture.run(partitions: partitions) { api in
            let client = try await api.events("/v1/events")
            try await api.keep("films", "1")
            let id = try #require(try await client.events(until: "updated").last?.id)
            try await api.keep("cinema", "[1]")
            try await api.keep("films", "2")
            let back = try await api.events("/v1/events", ["Last-Event-ID": id])
            var told: [WireEvent] = []
            while told.count(where: { $0.type == "updated" }) < 2 {
                told += try await back.events(until: "updated")
            }
            #expect(told.count == 6)
            #expect(Set(told.map { $0.json["key"].string }) == ["cinema", "films"])
        }
    }

    @Test("streams end when the API does")
    func shutdown() async throws {
        var client: EventClient?
        try await APIFixture.run { api in
            client = try await api.events("/v1/events")
        }
        #expect(try await client?.events().isEmpty == true)
    }
}

import Coordination
import FreshetModel
import TestSupport
import Testing

@Suite("when the store fails")
struct FaultTests {
    @Test("what is held is served, what is not is 503, and all is well again by itself")
    func outage() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]", freshFor: .duration(.milliseconds(300)))
            #expect(try await api.get("/api/cinema").json["cache_valid"].bool == true)
            api.store.setDown(true)
            let cold = try await api.get("/v1/resources/films")
            #expect(cold.status == 503)
            #expect(cold.json["code"].string == "redis_unavailable")
            try await eventually("it is stale") {
                let response = try await api.get("/api/cinema")
                #expect(response.status == 200)
                return response.json["cache_valid"].bool == false
            }
            let refreshed = try await api.get("/api/cinema?refresh=true")
            #expect(refreshed.status == 200)
            #expect(refreshed.json["refresh"] == .null)
            for target in [
                "/v1/jobs", "/v1/resources/cinema/status", "/v1/queue", "/stats", "/ready",
            ] {
                let response = try await api.get(target)
                #expect(response.status == 503, "\(target)")
                #expect(response.json["code"].string == "redis_unavailable")
            }
            #expect(try await api.post("/refresh").status == 503)
            #expect(try await api.get("/health").status == 200)
            api.store.setDown(false)
            #expect(try await api.get("/ready").status == 200)
            // Stale reads ask again once their rest is over.
            try await eventually("a refresh is queued") {
                _ = try await api.get("/api/cinema")
                return try await api.get("/v1/queue").json["waiting"].number == 1
            }
        }
    }

    @Test("a version published during an outage is served after it")
    func missed() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            _ = try await api.get("/api/cinema")
            api.store.setDown(true)
            try await api.keep("cinema", "[1,2]")
            #expect(try await api.get("/api/cinema").json["version"].number == 1)
            api.store.setDown(false)
            try await eventually("version 2", deadline: .seconds(2)) {
                try await api.get("/api/cinema").json["version"].number == 2
            }
        }
    }

    @Test("a message that is lost without a trace is noticed")
    func deaf() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            _ = try await api.get("/api/cinema")
            api.store.setDeaf(true)
            try await api.keep("cinema", "[1,2]")
            try await eventually("version 2", deadline: .seconds(3)) {
                try await api.get("/api/cinema").json["version"].number == 2
            }
        }
    }

    @Test("a stream whose messages are lost still comes to its end")
    func deafStream() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let client = try await api.events("/api/cinema?stream=true&refresh=true")
            _ = try await client.events(until: "queued")
            api.store.setDeaf(true)
            try await api.publish(try await api.claim(), "[1,2]")
            let rest = try await client.events()
            #expect(rest.map(\.type).suffix(2) == ["updated", "done"])
            #expect(rest.dropLast().last?.json["payload"]["version"].number == 2)
        }
    }

    @Test("who was told of a version is not given a lower one")
    func told() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[0]")
            _ = try await api.get("/api/cinema")
            api.store.setDeaf(true)
            for version in 2...20 {
                try await api.keep("cinema", "[\(version)]")
                let status = try await api.get("/v1/resources/cinema/status")
                let read = try await api.get("/api/cinema")
                #expect(status.json["version"].number == Double(version))
                #expect(read.json["version"].number == Double(version))
            }
        }
    }

    @Test("copies stay within their bound, the least recently read go first")
    func memory() async throws {
        let settings = APIFixture.settings { $0.api.memoryLimit = 500_000 }
        try await APIFixture.run(settings) { api in
            let text = "\"" + String(repeating: "x", count: 150_000) + "\""
            for page in 1...3 {
                try await api.keep("events?city=oslo&page=\(page)", text)
                #expect(try await api.get("/v1/resources/events?page=\(page)").status == 200)
            }
            _ = try await api.get("/v1/resources/events?page=1")
            try await api.keep("events?city=oslo&page=4", text)
            _ = try await api.get("/v1/resources/events?page=4")
            let reads = api.store.calls("read")
            #expect(try await api.get("/v1/resources/events?page=1").status == 200)
            #expect(api.store.calls("read") == reads)
            #expect(try await api.get("/v1/resources/events?page=2").status == 200)
            #expect(api.store.calls("read") == reads + 1)
        }
    }
}

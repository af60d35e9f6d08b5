import Codecs
import FreshetModel
import TestSupport
import Testing

@Suite("who may do what")
struct AccessTests {
    static func closed(_ change: (inout Settings) -> Void = { _ in }) -> Settings {
        APIFixture.settings { settings in
            var limited = APIKey(
                name: "limited", sha256: SHA256.hash("cinema-only"), scopes: [.admin])
            limited.resources = ["cinema"]
            settings.api.keys = [
                APIKey(name: "web", sha256: SHA256.hash("web.secret"), scopes: [.read]),
                APIKey(name: "app", sha256: SHA256.hash("app-secret"), scopes: [.refresh]),
                APIKey(name: "ops", sha256: SHA256.hash("ops-secret"), scopes: [.admin]),
                limited,
            ]
            change(&settings)
        }
    }

    @Test("without a key, or with a wrong one: 401 with a challenge")
    func unauthorized() async throws {
        try await APIFixture.run(Self.closed()) { api in
            for fields in [[:], ["X-API-Key": "wrong"], ["Authorization": "Basic abc"]] {
                let response = try await api.get("/api/cinema", fields)
                #expect(response.status == 401)
                #expect(response.field("WWW-Authenticate")?.hasPrefix("Bearer") == true)
                #expect(response.json["code"].string == "unauthorized")
            }
            #expect(try await api.get("/metrics").status == 401)
            #expect(try await api.get("/nothing").status == 401)
            #expect(try await api.get("/health").status == 200)
            #expect(try await api.get("/ready").status == 200)
            #expect(try await api.get("/openapi.json").status == 200)
        }
    }

    @Test("scopes include the narrower ones, and no more")
    func scopes() async throws {
        try await APIFixture.run(Self.closed()) { api in
            try await api.keep("cinema", "[1]")
            let web = ["X-API-Key": "web.secret"]
            let app = ["Authorization": "Bearer app-secret"]
            let ops = ["authorization": "bearer ops-secret"]
            let read = try await api.get("/api/cinema", web)
            #expect(read.status == 200)
            #expect(read.field("Cache-Control")?.hasPrefix("private, ") == true)
            let forbidden = try await api.get("/api/cinema?refresh=true", web)
            #expect(forbidden.status == 403)
            #expect(forbidden.json["code"].string == "forbidden")
            #expect(try await api.send("POST", "/refresh", web).status == 403)
            #expect(try await api.send("POST", "/refresh", app).status == 202)
            #expect(try await api.get("/api/cinema", app).status == 200)
            #expect(try await api.send("DELETE", "/v1/resources/cinema", app).status == 403)
            #expect(try await api.send("POST", "/v1/queue/pause", app).status == 403)
            #expect(try await api.send("POST", "/v1/queue/resume", ops).status == 200)
            #expect(try await api.send("DELETE", "/v1/resources/cinema", ops).status == 204)
        }
    }

    @Test("a key for some resources does not reach others")
    func resources() async throws {
        try await APIFixture.run(Self.closed()) { api in
            try await api.keep("cinema", "[1]")
            try await api.keep("films", "[1]")
            let limited = ["X-API-Key": "cinema-only"]
            #expect(try await api.get("/api/cinema", limited).status == 200)
            #expect(try await api.get("/v1/resources/films", limited).status == 403)
            #expect(try await api.get("/v1/resources/films/status", limited).status == 403)
            let listing = try await api.get("/v1/resources", limited)
            #expect(listing.json["items"].elements.map { $0["key"].string } == ["cinema"])
            let bulk = try await api.send(
                "POST", "/v1/refresh", limited, body: "{\"keys\":[\"films\",\"cinema\"]}")
            #expect(bulk.json["items"][0]["error"]["code"].string == "forbidden")
            #expect(bulk.json["items"][1]["status"].string == "started")
            let events = try await api.events("/v1/events", limited)
            try await api.publish(try await api.claim(), "[2]")
            try await api.keep("films", "[2]")
            _ = try await api.send("POST", "/refresh", limited)
            let told = try await events.events(until: "queued")
            #expect(told.allSatisfy { $0.json["key"].string == "cinema" })
        }
    }

    @Test("past the rate limit: 429 with the fields that say when")
    func rateLimit() async throws {
        let settings = Self.closed {
            $0.api.rateLimit = RateLimit(requestsPerSecond: 0.1, burst: 2)
            $0.api.openMetrics = true
        }
        try await APIFixture.run(settings) { api in
            let web = ["X-API-Key": "web.secret"]
            for left in [1, 0] {
                let admitted = try await api.get("/status", web)
                #expect(admitted.status == 200)
                #expect(admitted.field("RateLimit")?.hasPrefix("\"default\";r=\(left);t=") == true)
                #expect(admitted.field("RateLimit-Policy") == "\"default\";q=2;w=20")
            }
            let refused = try await api.get("/status", web)
            #expect(refused.status == 429)
            #expect(refused.json["code"].string == "rate_limited")
            #expect(refused.field("Retry-After").flatMap { Int($0) } ?? 0 >= 9)
            #expect(refused.field("RateLimit")?.hasPrefix("\"default\";r=0;t=") == true)
            #expect(refused.field("RateLimit-Policy") == "\"default\";q=2;w=20")
            #expect(try await api.get("/status", ["X-API-Key": "app-secret"]).status == 200)
            for _ in 0..<5 {
                let probe = try await api.get("/health")
                #expect(probe.status == 200 && probe.field("RateLimit") == nil)
            }
            #expect(try await api.get("/metrics").status == 200)
        }
    }
}

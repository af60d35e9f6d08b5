import API
import Codecs
import FreshetModel
import TestSupport
import Testing

@Suite("a reload of the configuration")
struct ReloadTests {
    private static func key(
        _ name: String, _ secret: String, _ scope: Scope = .read, resources: [String] = []
    ) -> APIKey {
        var key = APIKey(name: name, sha256: SHA256.hash(secret), scopes: [scope])
        key.resources = resources
        return key
    }

    private static func settings(_ keys: APIKey...) -> Settings {
        APIFixture.settings { $0.api.keys = keys }
    }

    @Test("keys come and go under a connection that stays, two secrets of a name side by side")
    func keys() async throws {
        let first = Self.key("web", "web.one")
        let second = Self.key("web", "web.two")
        try await APIFixture.run(Self.settings(first)) { api in
            try await api.keep("films", "[1]")
            let connection = try WireConnection(port: api.port)
            func status(_ secret: String) async throws -> Int {
                // Both a hit, which goes the short way, and a call that is a task.
                try connection.send("GET", "/v1/resources/films", ["X-API-Key": secret], [])
                let hit = try connection.response(to: "GET").status
                try connection.send("GET", "/status", ["X-API-Key": secret], [])
                #expect(try connection.response(to: "GET").status == hit)
                return hit
            }
            #expect(try await status("web.one") == 200)
            #expect(try await status("web.two") == 401)
            try await api.service.reload(Self.settings(first, second))
            #expect(try await status("web.one") == 200)
            #expect(try await status("web.two") == 200)
            try await api.service.reload(Self.settings(second))
            #expect(try await status("web.one") == 401)
            #expect(try await status("web.two") == 200)
            try await api.service.reload(Self.settings(Self.key("web", "web.two", .admin)))
            #expect(
                try await api.send("DELETE", "/v1/resources/films", ["X-API-Key": "web.two"]).status
                    == 204)
        }
    }

    @Test("streams of a key that is gone, or may do less, end; others go on")
    func streams() async throws {
        let kept = Self.key("kept", "kept.secret")
        let settings = Self.settings(
            kept, Self.key("gone", "gone.secret"), Self.key("less", "less.secret"))
        try await APIFixture.run(settings) { api in
            let stays = try await api.events("/v1/events", ["X-API-Key": "kept.secret"])
            let gone = try await api.events("/v1/events", ["X-API-Key": "gone.secret"])
            let less = try await api.events("/v1/events", ["X-API-Key": "less.secret"])
            try await api.service.reload(
                Self.settings(kept, Self.key("less", "less.secret", resources: ["films"])))
            #expect(try await gone.events().isEmpty)
            #expect(try await less.events().isEmpty)
            try await api.keep("films", "[1]")
            #expect(try await stays.events(until: "updated").last?.type == "updated")
        }
    }

    @Test("a rate limit comes, stays as full as it is, changes and goes")
    func rateLimit() async throws {
        var settings = APIFixture.settings()
        try await APIFixture.run(settings) { api in
            #expect(try await api.get("/status").field("RateLimit") == nil)
            settings.api.rateLimit = RateLimit(requestsPerSecond: 0.01, burst: 2)
            try await api.service.reload(settings)
            #expect(try await api.get("/status").field("RateLimit-Policy") != nil)
            #expect(try await api.get("/status").status == 200)
            try await api.service.reload(settings)
            #expect(try await api.get("/status").status == 429)
            settings.api.rateLimit = RateLimit(requestsPerSecond: 0.01, burst: 3)
            try await api.service.reload(settings)
            #expect(try await api.get("/status").status == 200)
            settings.api.rateLimit = nil
            try await api.service.reload(settings)
            for _ in 0..<5 { #expect(try await api.get("/status").status == 200) }
        }
    }

    @Test("answers turn private when keys come, also those made before")
    func privacy() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let open = try await api.get("/api/cinema")
            #expect(open.field("Cache-Control")?.hasPrefix("private") == false)
            try await api.service.reload(Self.settings(Self.key("web", "web.one")))
            #expect(try await api.get("/api/cinema").status == 401)
            let closed = try await api.get("/api/cinema", ["X-API-Key": "web.one"])
            #expect(closed.field("Cache-Control")?.hasPrefix("private") == true)
        }
    }

    @Test("one client has so many event streams and no more, until one of them ends")
    func streamShare() async throws {
        let settings = Self.settings(Self.key("a", "a.secret"), Self.key("b", "b.secret"))
        var limited = settings
        limited.api.limits.streamsPerClient = 2
        try await APIFixture.run(limited) { api in
            try await api.keep("films", "[1]")
            let a = ["X-API-Key": "a.secret"]
            let first = try await api.events("/v1/events", a)
            let second = try await api.events("/v1/events?key=films", a)
            #expect(first.response.status == 200 && second.response.status == 200)
            for target in ["/v1/events", "/v1/resources/films?stream=true"] {
                let refused = try await api.get(target, a)
                #expect(refused.status == 429)
                #expect(refused.json["code"].string == "too_many_streams")
                #expect(refused.field("Retry-After") != nil)
            }
            let other = try await api.events("/v1/events", ["X-API-Key": "b.secret"])
            #expect(other.response.status == 200)
            try await api.service.reload(Self.settings(Self.key("b", "b.secret")))
            #expect(try await first.events().isEmpty)
            try await api.service.reload(settings)
            try await eventually("there is room again") {
                try await api.events("/v1/resources/films?stream=true", a).response.status == 200
            }
        }
    }
}

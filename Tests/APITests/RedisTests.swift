import Coordination
import FreshetModel
import TestSupport
import Testing

@Suite("on Redis", .serialized)
struct RedisTests {
    private func withRedis(
        _ arguments: [String] = [], _ body: (PrivateRedis) async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis.start(arguments)
        do {
            try await body(redis)
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }

    @Test("two processes, one cold key: one job, everybody is answered by its event")
    func herd() async throws {
        try await withRedis { redis in
            try await APIFixture.run(on: redis) { first in
                try await APIFixture.run(on: redis) { second in
                    try await withThrowingTaskGroup(of: WireResponse.self) { group in
                        for index in 0..<20 {
                            let api = index % 2 == 0 ? first : second
                            group.addTask { try await api.get("/api/cinema") }
                        }
                        let claim = try await first.claim()
                        try await eventually("all wait") {
                            let waiting = try await (
                                first.reads("cinema"), second.reads("cinema")
                            )
                            return waiting.0 + waiting.1 == 20
                        }
                        try await first.publish(claim, "[1,2]", encoding: .zstd)
                        for try await response in group {
                            #expect(response.status == 200)
                            #expect(response.json["from_cache"].bool == false)
                        }
                    }
                    let jobs = try await second.get("/v1/jobs")
                    #expect(jobs.json["items"].elements.count == 1)
                    try await first.keep("cinema", "[3]")
                    try await eventually("both serve it", deadline: .seconds(2)) {
                        let one = try await first.get("/api/cinema").json["version"].number
                        let two = try await second.get("/api/cinema").json["version"].number
                        return one == 2 && two == 2
                    }
                }
            }
        }
    }

    @Test("Redis hangs: what is held is served at once, what is not is 503 within a second")
    func hang() async throws {
        try await withRedis { redis in
            try await APIFixture.run(on: redis) { api in
                try await api.keep("cinema", "[1]")
                #expect(try await api.get("/api/cinema").status == 200)
                redis.freeze()
                let held = try await api.get("/api/cinema")
                #expect(held.status == 200)
                #expect(held.elapsed < .milliseconds(500))
                let missing = try await api.get("/v1/resources/films")
                #expect(missing.status == 503)
                #expect(missing.json["code"].string == "redis_unavailable")
                #expect(missing.elapsed < .seconds(1))
                redis.resume()
                try await eventually("all is well", deadline: .seconds(5)) {
                    try await api.get("/ready").status == 200
                }
                try await api.keep("cinema", "[1,2]")
                try await eventually("version 2", deadline: .seconds(5)) {
                    try await api.get("/api/cinema").json["version"].number == 2
                }
            }
        }
    }

    @Test("Redis loses its data: what is held is served until a refresh brings more")
    func dataLoss() async throws {
        try await withRedis { redis in
            try await APIFixture.run(on: redis) { api in
                for version in 1...3 { try await api.keep("cinema", "[\(version)]") }
                try await eventually("version 3") {
                    try await api.get("/api/cinema").json["version"].number == 3
                }
                try await redis.kill()
                #expect(try await api.get("/api/cinema").json["items"][0].number == 3)
                try await redis.restart()
                try await eventually("a refresh is asked for", deadline: .seconds(8)) {
                    let response = try await api.get("/api/cinema")
                    #expect(response.json["items"][0].number == 3)
                    return response.json["cache_valid"].bool == false
                }
                try await api.publish(try await api.claim(.seconds(8)), "[4]")
                try await eventually("the new payload", deadline: .seconds(5)) {
                    try await api.get("/api/cinema").json["items"][0].number == 4
                }
            }
        }
    }

    @Test("streams over several partitions resume on another process")
    func partitions() async throws {
        let settings = APIFixture.settings { $0.redis.partitions = 4 }
        try await withRedis { redis in
            var id: String?
            try await APIFixture.run(settings, on: redis) { api in
                let client = try await api.events("/v1/events")
                try await api.keep("films", "1")
                id = try await client.events(until: "updated").last?.id
                try await api.keep("cinema", "[1]")
                try await api.keep("slow", "2")
            }
            let last = try #require(id)
            try await APIFixture.run(settings, on: redis) { api in
                let back = try await api.events("/v1/events", ["Last-Event-ID": last])
                var told: [WireEvent] = []
                while told.count(where: { $0.type == "updated" }) < 2 {
                    told += try await back.events(until: "updated")
                }
                #expect(Set(told.map { $0.json["key"].string }) == ["cinema", "slow"])
            }
        }
    }

    @Test("the operators' calls on Redis")
    func operators() async throws {
        try await withRedis { redis in
            try await APIFixture.run(on: redis) { api in
                #expect(try await api.get("/ready").json["workers_alive"].number == 0)
                let keys = (1...300).map { "\"events?page=\($0)\"" }.joined(separator: ",")
                let bulk = try await api.post("/v1/refresh", body: "{\"keys\":[\(keys)]}")
                #expect(bulk.json["items"].elements.allSatisfy { $0["job_id"].string != nil })
                let queue = try await api.get("/v1/queue")
                #expect(queue.json["waiting"].number == 300)
                let page = try await api.get("/v1/jobs?state=queued&limit=200")
                let cursor = try #require(page.json["next_cursor"].string)
                let rest = try await api.get("/v1/jobs?state=queued&limit=200&cursor=\(cursor)")
                #expect(rest.json["items"].elements.count == 100)
                let id = try #require(page.json["items"][0]["id"].string)
                #expect(try await api.send("DELETE", "/v1/jobs/\(id)").status == 202)
                #expect(try await api.send("DELETE", "/v1/jobs/\(id)").status == 409)
                try await api.keep("cinema", "[1]")
                #expect(try await api.send("DELETE", "/v1/resources/cinema").status == 204)
                #expect(try await api.get("/fetch-data").status == 503)
                #expect(try await api.get("/metrics").text.contains("freshet_store_up 1"))
            }
        }
    }
}

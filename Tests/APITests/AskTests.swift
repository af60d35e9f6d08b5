import Coordination
import FreshetModel
import TestSupport
import Testing

@Suite("asking for refreshes")
struct AskTests {
    @Test("a refresh is accepted, and a second ask joins it")
    func joins() async throws {
        try await APIFixture.run { api in
            let first = try await api.post("/v1/resources/cinema/refresh")
            #expect(first.status == 202)
            let job = try #require(first.json["job_id"].string)
            #expect(first.field("Location") == "/v1/jobs/\(job)")
            #expect(first.json["status"].string == "started")
            #expect(first.json["is_running"].bool == true)
            #expect(first.json["key"].string == "cinema")
            #expect(first.json["position"].number == 1)
            #expect(first.json["ahead"].number == 0)
            #expect(first.json["queue_depth"].number == 1)
            #expect(first.json["running_seconds"] == .null)
            #expect(first.json["durability"].string == "everysec")
            let second = try await api.post("/refresh", body: "{\"priority\":\"high\"}")
            #expect(second.json["status"].string == "queued")
            #expect(second.json["job_id"].string == job)
            _ = try await api.claim()
            let third = try await api.post("/refresh")
            #expect(third.json["status"].string == "running")
            #expect(third.json["running_seconds"].number != nil)
            let rerun = try await api.post("/refresh", body: "{\"force\":true}")
            #expect(rerun.json["status"].string == "queued")
            #expect(rerun.json["rerun"].bool == true)
            #expect(rerun.json["position"] == .null)
            #expect(rerun.json["job_id"].string != job)
        }
    }

    @Test("what is not understood is 400, with a reason")
    func faults() async throws {
        try await APIFixture.run { api in
            for body in [
                "[]", "{\"force\":1}", "{\"priority\":\"urgent\"}", "nonsense", "{\"x\":1}",
            ] {
                let response = try await api.post("/v1/resources/cinema/refresh", body: body)
                #expect(response.status == 400, "\(body)")
                #expect(response.json["code"].string == "invalid_body")
            }
            #expect(try await api.post("/v1/resources/cinema/refresh?x=1").status == 400)
            #expect(try await api.post("/v1/resources/unknown/refresh").status == 404)
            #expect(try await api.post("/v1/resources/cinema").status == 405)
            let wrong = try await api.send("PUT", "/v1/jobs")
            #expect(wrong.status == 405)
            #expect(wrong.field("Allow") == "GET, HEAD, OPTIONS")
            let options = try await api.send("OPTIONS", "/v1/resources/cinema")
            #expect(options.status == 204)
            #expect(options.field("Allow") == "GET, HEAD, DELETE, OPTIONS")
            #expect(try await api.get("/nothing/here").status == 404)
            #expect(try await api.get("/v1/jobs?limit=1001").status == 400)
            #expect(try await api.get("/v1/jobs?limit=0").status == 400)
            #expect(try await api.get("/v1/jobs?cursor=abc").status == 400)
            #expect(try await api.get("/v1/jobs?state=sleeping").status == 400)
            let large = String(repeating: " ", count: 300 << 10)
            #expect(try await api.post("/refresh", body: large).status == 413)
        }
    }

    @Test("many at once: an item for each, faults among them")
    func many() async throws {
        try await APIFixture.run { api in
            let response = try await api.post(
                "/v1/refresh",
                body: "{\"keys\":[\"cinema\",\"events?city=oslo\",\"nope\",\"events?city=X\"]}")
            #expect(response.status == 202)
            let items = response.json["items"]
            #expect(items.elements.count == 4)
            #expect(items[0]["status"].string == "started")
            #expect(items[1]["key"].string == "events?city=oslo&page=1")
            #expect(items[2]["error"]["code"].string == "unknown_resource")
            #expect(items[3]["error"]["code"].string == "invalid_parameter")
            for body in ["{}", "{\"keys\":[]}", "{\"keys\":\"cinema\"}", "{\"keys\":[1]}"] {
                #expect(try await api.post("/v1/refresh", body: body).status == 400)
            }
            let keys = (1...999).map { "\"events?page=\($0)\"" }.joined(separator: ",")
            let bulk = try await api.post("/v1/refresh", body: "{\"keys\":[\(keys)]}")
            #expect(bulk.json["items"].elements.count == 999)
            #expect(bulk.json["items"].elements.allSatisfy { $0["job_id"].string != nil })
            let page = try await api.get("/v1/jobs?limit=600")
            #expect(page.json["items"].elements.count == 600)
            let cursor = try #require(page.json["next_cursor"].string)
            let rest = try await api.get("/v1/jobs?limit=600&cursor=\(cursor)")
            #expect(rest.json["items"].elements.count == 400)
            #expect(rest.json["next_cursor"] == .null)
            let listing = try await api.get("/v1/resources?limit=1000")
            #expect(listing.json["items"].elements.count == 1000)
        }
    }

    @Test("a full queue refuses new jobs, not joins")
    func full() async throws {
        let settings = APIFixture.settings { $0.refresh.maximumQueue = 1 }
        try await APIFixture.run(settings) { api in
            #expect(try await api.post("/refresh").status == 202)
            #expect(try await api.post("/refresh").status == 202)
            let refused = try await api.post("/v1/resources/films/refresh")
            #expect(refused.status == 503)
            #expect(refused.json["code"].string == "queue_full")
            #expect(refused.field("Retry-After") != nil)
            let read = try await api.get("/v1/resources/films")
            #expect(read.json["code"].string == "queue_full")
        }
    }

    @Test("with a full queue a stale read tells of no refresh, and nobody waits for one")
    func fullAndStale() async throws {
        let settings = APIFixture.settings { $0.refresh.maximumQueue = 1 }
        try await APIFixture.run(settings) { api in
            try await api.keep("cinema", "[1]", freshFor: .always)
            #expect(try await api.post("/v1/resources/films/refresh").status == 202)
            let began = ContinuousClock.now
            let waited = try await api.get("/api/cinema", ["Prefer": "wait=30"])
            #expect(ContinuousClock.now - began < .seconds(10))
            for read in [waited, try await api.get("/api/cinema")] {
                #expect(read.json["cache_valid"].bool == false)
                #expect(read.json["refreshing_in_background"].bool == false)
                #expect(read.field("Cache-Status")?.contains("refreshing") == false)
            }
            let expired = try await api.post("/v1/resources/cinema/expire")
            #expect(expired.json["code"].string == "queue_full")
            // Room again: the next reads ask, and say so.
            _ = try await api.claim()
            try await eventually("a refresh") {
                try await api.get("/api/cinema").json["refreshing_in_background"].bool == true
            }
            #expect(try await api.claim().key.text == "cinema")
        }
    }

    @Test("a problem shows its job as the job itself is shown")
    func problemJob() async throws {
        try await APIFixture.run { api in
            async let cold = api.get("/api/cinema")
            try await api.fail(try await api.claim(), "no luck")
            let problem = try await cold
            #expect(problem.json["code"].string == "source_failed")
            let shown = problem.json["job"]
            #expect(shown["max_attempts"].number == 2)
            #expect(shown["worker"].string == "test-worker")
            #expect(shown["duration_seconds"].number != nil)
            #expect(shown["state"].string == "dead")
        }
    }

    @Test("jobs are shown, listed and cancelled")
    func jobs() async throws {
        try await APIFixture.run { api in
            let asked = try await api.post("/refresh")
            let id = try #require(asked.json["job_id"].string)
            let job = try await api.get("/v1/jobs/\(id)")
            #expect(job.json["state"].string == "queued")
            #expect(job.json["max_attempts"].number == 2)
            #expect(job.json["created_at"].string?.hasSuffix("Z") == true)
            let listed = try await api.get("/v1/jobs?state=queued")
            #expect(listed.json["items"][0]["id"].string == id)
            let cancelled = try await api.send("DELETE", "/v1/jobs/\(id)")
            #expect(cancelled.status == 202)
            #expect(cancelled.json["state"].string == "cancelled")
            let again = try await api.send("DELETE", "/v1/jobs/\(id)")
            #expect(again.status == 409)
            #expect(again.json["code"].string == "already_ended")
            #expect(again.json["job"]["max_attempts"].number == 2)
            #expect(again.json["job"]["finished_at"].string != nil)
            #expect(try await api.get("/v1/jobs/1-cinema").status == 404)
            #expect(try await api.get("/v1/jobs/nonsense").status == 404)
            #expect(try await api.send("DELETE", "/v1/jobs/1-cinema").status == 404)
        }
    }

    @Test("dead jobs are listed and retried")
    func dead() async throws {
        try await APIFixture.run { api in
            _ = try await api.post("/refresh")
            let claim = try await api.claim()
            try await api.fail(claim, "broken")
            let dead = try await api.get("/v1/dead")
            #expect(dead.json["items"][0]["state"].string == "dead")
            #expect(dead.json["items"][0]["error"].string == "broken")
            let id = try #require(dead.json["items"][0]["id"].string)
            let one = try await api.post(
                "/v1/dead/retry", body: "{\"ids\":[\"\(id)\",\"1-cinema\"]}")
            #expect(one.status == 202)
            #expect(one.json["items"][0]["status"].string == "started")
            #expect(one.json["items"][0]["job_id"].string != id)
            #expect(one.json["items"][1]["error"]["code"].string == "not_dead")
            try await api.fail(try await api.claim(), "broken again")
            let all = try await api.post("/v1/dead/retry", body: "{\"all\":true}")
            #expect(all.json["items"].elements.count == 1)
            #expect(try await api.get("/v1/dead").json["items"].elements.isEmpty)
            for body in [
                "", "{}", "{\"all\":false}", "{\"ids\":[]}", "{\"ids\":[\"a\"],\"all\":true}",
            ] {
                #expect(try await api.post("/v1/dead/retry", body: body).status == 400)
            }
        }
    }

    @Test("expire keeps serving, purge does not; the version goes on")
    func expireAndPurge() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            #expect(try await api.get("/api/cinema").json["cache_valid"].bool == true)
            let expired = try await api.post("/v1/resources/cinema/expire")
            #expect(expired.status == 202)
            try await eventually("it is stale") {
                try await api.get("/api/cinema").json["cache_valid"].bool == false
            }
            try await api.publish(try await api.claim(), "[1,2]")
            let purged = try await api.send("DELETE", "/v1/resources/cinema")
            #expect(purged.status == 204)
            #expect(purged.body.isEmpty)
            let cold = try await api.get("/fetch-data")
            #expect(cold.status == 503)
            try await api.publish(try await api.claim(), "[1,2,3]")
            try await eventually("version 3") {
                try await api.get("/api/cinema").json["version"].number == 3
            }
        }
    }

    @Test("status, queue, counters")
    func overview() async throws {
        try await APIFixture.run { api in
            let before = try await api.get("/refresh/status")
            #expect(before.json["version"].number == 0)
            #expect(before.json["state"].string == "idle")
            #expect(before.json["cache_date"] == .null)
            try await api.keep("cinema", "[1,2]")
            _ = try await api.get("/api/cinema")
            _ = try await api.post("/v1/resources/films/refresh")
            let status = try await api.get("/v1/resources/cinema/status")
            #expect(status.json["item_count"].number == 2)
            #expect(status.json["cache_valid"].bool == true)
            #expect(status.json["size_bytes"].number == 5)
            #expect(status.json["consecutive_failures"].number == 0)
            #expect(
                try await api.get("/refresh/status?resource=films").json["is_running"].bool == true)
            #expect(try await api.get("/refresh/status?resource=nope").status == 404)
            #expect(try await api.get("/status").json["items"].elements.count == 2)
            let paused = try await api.post("/v1/queue/pause")
            #expect(paused.status == 200)
            #expect(paused.json["paused"].bool == true)
            #expect(paused.json["waiting"].number == 1)
            #expect(paused.json["by_priority"]["normal"].number == 1)
            #expect(try await api.post("/v1/queue/resume").json["paused"].bool == false)
            let cache = try await api.get("/api/cache/stats")
            #expect(cache.json["cinema"]["is_populated"].bool == true)
            #expect(cache.json["cinema"]["item_count"].number == 2)
            #expect(cache.json["films"]["rebuild_in_progress"].bool == true)
            try await eventually("reads are told") {
                try await api.get("/stats").json["cache_hits"].number == 1
            }
            let statistics = try await api.get("/stats")
            #expect(statistics.json["total_refreshes"].number == 1)
            #expect(statistics.json["resources"]["cinema"]["active_keys"].number == 1)
            let metrics = try await api.get("/metrics")
            #expect(
                metrics.text.contains(
                    "freshet_reads_total{resource=\"cinema\",result=\"hit\"} 1"))
            let health = try await api.get("/health")
            #expect(health.json["status"].string == "ok")
            let ready = try await api.get("/ready?probe=1")
            #expect(ready.status == 200)
            #expect(ready.json["workers_alive"].number == 0)
            let document = try await api.get("/openapi.json")
            #expect(document.json["openapi"].string == "3.1.0")
            #expect(document.json["paths"]["/api/events/{city}"]["get"] != .null)
        }
    }
}

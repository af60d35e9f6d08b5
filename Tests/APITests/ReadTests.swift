import FreshetModel
import TestSupport
import Testing

@Suite("reads of payloads")
struct ReadTests {
    @Test("a kept payload comes in an envelope, byte for byte")
    func envelope() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1, 2,\t{\"a\":1.0}]")
            let response = try await api.get("/v1/resources/cinema")
            #expect(response.status == 200)
            #expect(response.field("Content-Type") == "application/json")
            #expect(response.text.contains("\"items\":[1, 2,\t{\"a\":1.0}],"))
            let json = response.json
            #expect(json["status"].string == "success")
            #expect(json["count"].number == 3)
            #expect(json["from_cache"].bool == true)
            #expect(json["cache_valid"].bool == true)
            #expect(json["version"].number == 1)
            #expect(json["refreshing_in_background"].bool == false)
            #expect(json["refresh"] == .null)
            #expect(json.members["_info"] == nil)
            #expect(json["cache_date"].string?.hasSuffix("Z") == true)
            #expect(response.field("X-Freshet-Version") == "1")
            #expect(response.field("Cache-Status")?.hasPrefix("freshet; hit; ttl=") == true)
            #expect(response.field("ETag")?.hasPrefix("W/\"1-") == true)
            #expect(response.field("Last-Modified") != nil)
            #expect(response.field("Age") == "0")
            #expect(
                response.field("Cache-Control") == "max-age=300, stale-while-revalidate=3300")
            #expect(response.field("X-Request-Id") != nil)
        }
    }

    @Test("raw answers are the payload itself, with a strong tag")
    func raw() async throws {
        try await APIFixture.run { api in
            try await api.keep("films", "{\"a\": 1}")
            let response = try await api.get("/v1/resources/films")
            #expect(response.text == "{\"a\": 1}")
            let tag = try #require(response.field("ETag"))
            #expect(tag.hasPrefix("\"1-"))
            let again = try await api.get("/v1/resources/films", ["If-None-Match": "W/\(tag)"])
            #expect(again.status == 304)
            #expect(again.field("Content-Length") == "8")
            #expect(again.field("ETag") == tag)
            let head = try await api.send("HEAD", "/v1/resources/films")
            #expect(head.status == 200)
            #expect(head.field("Content-Length") == "8")
        }
    }

    @Test("a payload that is not JSON is raw whatever the resource says")
    func notJSON() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "a,b\n1,2\n", type: "text/csv")
            let response = try await api.get("/api/cinema")
            #expect(response.text == "a,b\n1,2\n")
            #expect(response.field("Content-Type") == "text/csv")
        }
    }

    @Test("the weak tag changes with freshness, not with age")
    func weakTag() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let first = try await api.get("/api/cinema")
            let tag = try #require(first.field("ETag"))
            let same = try await api.get("/api/cinema", ["If-None-Match": "\"x\", \(tag)"])
            #expect(same.status == 304)
            let expired = try await api.post("/v1/resources/cinema/expire")
            #expect(expired.status == 202)
            let stale = try await eventualValue("a stale answer") {
                let response = try await api.get("/api/cinema", ["If-None-Match": tag])
                return response.status == 200 ? response : nil
            }
            #expect(stale.json["cache_valid"].bool == false)
            #expect(stale.json["refreshing_in_background"].bool == true)
            #expect(stale.json["refresh"]["state"].string == "queued")
            #expect(stale.field("Cache-Status")?.hasSuffix("; detail=refreshing") == true)
            #expect(stale.field("Cache-Status")?.contains("ttl=-") == true)
        }
    }

    @Test("ranges of raw payloads, and past their end")
    func ranges() async throws {
        try await APIFixture.run { api in
            try await api.keep("films", "0123456789", type: "text/plain")
            let part = try await api.get("/v1/resources/films", ["Range": "bytes=2-5"])
            #expect(part.status == 206)
            #expect(part.text == "2345")
            #expect(part.field("Content-Range") == "bytes 2-5/10")
            let past = try await api.get("/v1/resources/films", ["Range": "bytes=10-"])
            #expect(past.status == 416)
            #expect(past.field("Content-Range") == "bytes */10")
            #expect(past.json["code"].string == "range_not_satisfiable")
            let tag = try #require(part.field("ETag"))
            let same = try await api.get(
                "/v1/resources/films", ["Range": "bytes=-3", "If-Range": tag])
            #expect(same.text == "789")
            let other = try await api.get(
                "/v1/resources/films", ["Range": "bytes=-3", "If-Range": "\"other\""])
            #expect(other.status == 200)
            #expect(other.text == "0123456789")
        }
    }

    @Test("a cold read waits for the first payload; readers share one job")
    func coldWait() async throws {
        try await APIFixture.run { api in
            try await withThrowingTaskGroup(of: WireResponse.self) { group in
                for _ in 0..<20 { group.addTask { try await api.get("/api/cinema") } }
                let claim = try await api.claim()
                try await eventually("all wait") { try await api.reads("cinema") == 20 }
                try await api.publish(claim, "[1,2]")
                for try await response in group {
                    #expect(response.status == 200)
                    #expect(response.json["from_cache"].bool == false)
                    #expect(response.field("Cache-Status") == "freshet; fwd=miss; stored")
                }
            }
            let jobs = try await api.get("/v1/jobs")
            #expect(jobs.json["items"].elements.count == 1)
        }
    }

    @Test("a cold read past its time is not_ready, with the job")
    func coldTimeout() async throws {
        let settings = APIFixture.settings {
            $0.resources[APIFixture.name("cinema")]?.waitTimeout = .milliseconds(50)
        }
        try await APIFixture.run(settings) { api in
            let response = try await api.get("/api/cinema")
            #expect(response.status == 503)
            #expect(response.json["code"].string == "not_ready")
            #expect(response.json["job"]["state"].string == "queued")
            #expect(response.field("Retry-After") != nil)
            #expect(response.field("Content-Type") == "application/problem+json")
            let unavailable = try await api.get("/v1/resources/slow")
            #expect(unavailable.json["code"].string == "not_ready")
            let fetch = try await api.get("/fetch-data")
            #expect(fetch.json["code"].string == "not_ready")
        }
    }

    @Test("the first failed attempt is source_failed at once, and for who comes while it retries")
    func sourceFailed() async throws {
        try await APIFixture.run { api in
            async let waiting = api.get("/api/cinema")
            let claim = try await api.claim()
            try await api.fail(claim, "no film today", retryAfter: .seconds(60))
            let response = try await waiting
            #expect(response.status == 502)
            #expect(response.json["code"].string == "source_failed")
            #expect(response.json["detail"].string?.contains("no film today") == true)
            #expect(response.json["job"]["state"].string == "retrying")
            let late = try await api.get("/api/cinema")
            #expect(late.status == 502)
        }
    }

    @Test("a dead job is told while its key cools down")
    func coolingDown() async throws {
        try await APIFixture.run { api in
            async let waiting = api.get("/api/cinema")
            try await api.fail(try await api.claim(), "broken for good")
            #expect(try await waiting.status == 502)
            let late = try await api.get("/api/cinema")
            #expect(late.status == 502)
            #expect(late.json["job"]["state"].string == "dead")
            #expect(late.json["detail"].string?.contains("broken for good") == true)
        }
    }

    @Test("a stale read is answered at once and queues one refresh")
    func stale() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]", freshFor: .always)
            let first = try await api.get("/api/cinema")
            #expect(first.json["cache_valid"].bool == false)
            #expect(first.json["refreshing_in_background"].bool == true)
            #expect(first.json["_info"].string == "Background refresh triggered")
            for _ in 0..<10 { _ = try await api.get("/api/cinema") }
            let claim = try await api.claim()
            #expect(api.store.calls("request") == 1)
            try await api.publish(claim, "[1,2]")
            try await eventually("the new version") {
                try await api.get("/api/cinema").json["version"].number == 2
            }
        }
    }

    @Test("refresh=true answers with the job it queued")
    func refreshTrue() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            let response = try await api.get("/api/cinema?refresh=true")
            #expect(response.json["cache_valid"].bool == true)
            #expect(response.json["refreshing_in_background"].bool == true)
            #expect(response.json["refresh"]["job_id"].string != nil)
            #expect(response.json["_info"].string == "Background refresh triggered")
            _ = try await api.claim()
        }
    }

    @Test("Prefer: wait=N waits for the refresh under way; respond-async does not wait")
    func prefer() async throws {
        try await APIFixture.run { api in
            let accepted = try await api.get("/api/cinema", ["Prefer": "respond-async"])
            #expect(accepted.status == 202)
            #expect(accepted.field("Preference-Applied") == "respond-async")
            #expect(accepted.field("Location")?.hasPrefix("/v1/jobs/") == true)
            let claim = try await api.claim()
            let asked = api.store.calls("request")
            async let waiting = api.get("/v1/resources/cinema", ["Prefer": "wait=100"])
            try await eventually("the read waits") { api.store.calls("request") > asked }
            try await api.publish(claim, "[1]")
            let first = try await waiting
            #expect(first.field("Preference-Applied") == "wait=60")
            #expect(first.json["from_cache"].bool == false)

            _ = try await api.post("/v1/resources/cinema/refresh")
            let next = try await api.claim()
            let before = try await api.reads("cinema")
            async let renewed = api.get("/api/cinema", ["Prefer": "wait=20"])
            try await eventually("the read waits") { try await api.reads("cinema") > before }
            try await api.publish(next, "[1,2]")
            let second = try await renewed
            #expect(second.json["version"].number == 2)
            #expect(second.field("Cache-Status") == "freshet; fwd=stale; stored")
            let fresh = try await api.get("/api/cinema", ["Prefer": "wait=20"])
            #expect(fresh.json["from_cache"].bool == true)
        }
    }

    @Test("parameters in path, query or a whole key are the same key")
    func parameters() async throws {
        try await APIFixture.run { api in
            try await api.keep("events?city=bergen&page=2", "[7]")
            for target in [
                "/api/events/bergen?page=2", "/v1/resources/events?page=2&city=bergen",
                "/v1/resources/events%3Fcity%3Dbergen%26page%3D2",
                "/v1/resources/events%3Fcity%3Dbergen?page=2",
            ] {
                let response = try await api.get(target)
                #expect(response.json["items"][0].number == 7, "\(target)")
            }
            for target in [
                "/api/events/bergen?city=oslo", "/v1/resources/events?city=Oslo",
                "/v1/resources/events?town=oslo", "/v1/resources/events?page=1&page=1",
                "/v1/resources/cinema?refresh=yes", "/v1/resources/cinema?stream=1",
                "/v1/resources/cinema?refresh=true&refresh=true", "/v1/resources/cinema?a=%zz",
            ] {
                let response = try await api.get(target)
                #expect(response.status == 400, "\(target)")
                #expect(response.json["code"].string != nil)
                #expect(response.json["request_id"].string == response.field("X-Request-Id"))
            }
            #expect(try await api.get("/v1/resources/nothing").status == 404)
        }
    }
}

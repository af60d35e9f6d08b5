import Coordination
import FreshetModel
import TestSupport
import Testing

@Suite("when the store goes away in the middle of a change")
struct OutageTests {
    @Test("what is held is served, although a client was told of more that cannot be had")
    func toldAndGone() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]")
            _ = try await api.get("/api/cinema")
            api.store.setDeaf(true)
            try await api.keep("cinema", "[1,2]")
            api.store.setFailing(["read"])
            let status = try await api.get("/v1/resources/cinema/status")
            #expect(status.json["version"].number == 2)
            for _ in 0..<3 {
                let held = try await api.get("/api/cinema")
                #expect(held.status == 200)
                #expect(held.json["version"].number == 1)
            }
            api.store.setFailing([])
            try await eventually("version 2", deadline: .seconds(2)) {
                try await api.get("/api/cinema").json["version"].number == 2
            }
        }
    }

    @Test("a purge whose message is lost is noticed, and nothing brings the payload back")
    func missedPurge() async throws {
        try await APIFixture.run { api in
            try await api.keep("slow", "[1]")
            #expect(try await api.get("/v1/resources/slow").status == 200)
            api.store.setDeaf(true)
            try await api.store.base.purge(APIFixture.key("slow"), keepJobs: .seconds(60))
            try await eventually("it is gone", deadline: .seconds(3)) {
                try await api.get("/v1/resources/slow").status == 503
            }
            api.store.setDown(true)
            #expect(try await api.get("/v1/resources/slow").status == 503)
            api.store.setDown(false)
            #expect(try await api.get("/v1/resources/slow").json["code"].string == "not_ready")
        }
    }

    @Test("a store that comes back empty goes on above the version that is held")
    func emptied() async throws {
        let redis = try await PrivateRedis.start()
        do {
            try await APIFixture.run(on: redis) { api in
                for version in 1...3 { try await api.keep("cinema", "[\(version)]") }
                try await eventually("version 3") {
                    try await api.get("/api/cinema").json["version"].number == 3
                }
                try await redis.cli("FLUSHALL")
                // The ask tells what is held, whichever of the two comes first.
                #expect(try await api.post("/refresh").status == 202)
                try await api.publish(try await api.claim(), "[4]")
                try await eventually("the new payload", deadline: .seconds(5)) {
                    let read = try await api.get("/api/cinema").json
                    #expect(read["version"].number ?? 0 >= 3)
                    return read["items"][0].number == 4 && read["version"].number == 4
                }
            }
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }
}

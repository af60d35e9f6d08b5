import FreshetModel
import Redis
import Runtime
import TestSupport
import Testing

@testable import Coordination

@Suite("Redis store", .timeLimit(.minutes(1)))
struct RedisSmokeTests {
    @Test("a job goes from request to publication")
    func roundTrip() async throws {
        let redis = try await PrivateRedis.start()
        let loop = EventLoop(name: "test")
        BackgroundThread.start { loop.run() }
        let settings = {
            var s = RedisSettings(); s.url = redis.url; return s
        }()
        let store = try RedisRefreshStore(settings: settings, loop: loop, name: "test")
        let key = try makeKey("cinema")
        guard case .accepted(let receipt) = try await store.request(RefreshRequest(key: key)) else {
            Issue.record("not accepted")
            return
        }
        #expect(receipt.status == .started)
        #expect(receipt.job.position == 1)
        let batch = try await store.claim(ClaimRequest(worker: "w1", limit: 5))
        #expect(batch.claims.count == 1)
        let claim = try #require(batch.claims.first)
        let payload = Payload(bytes: Array("[1,2]".utf8), contentType: "application/json")
        let (outcome, _) = try await store.publish(
            Publication(
                claim: claim, content: .payload(payload), freshFor: .duration(.seconds(5)),
                keepFor: .seconds(50)), claimNext: ClaimRequest(worker: "w1"))
        #expect(outcome == .published(version: 1))
        let read = try await store.read(key, held: nil)
        #expect(read.bytes == payload.bytes)
        #expect(read.status.version == 1)
        #expect(read.status.state == .idle)
        #expect(try await store.keys(cursor: nil, limit: 10).items == [key])
        #expect(try await store.job(receipt.job.id)?.state == .succeeded)
        #expect(try await store.jobs(states: [], cursor: nil, limit: 10).items.count == 1)
        _ = try await store.queue()
        _ = try await store.statistics()
        store.close()
        loop.stop()
        await redis.stop()
    }
}

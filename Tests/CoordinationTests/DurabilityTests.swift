import FreshetModel
import TestSupport
import Testing

@testable import Coordination

/// What a 202 is worth, as the servers are set, and what is said when it is worth less.
@Suite("Durability", .timeLimit(.minutes(2)))
struct DurabilityTests {
    @Test(
        "is what Redis is set to",
        arguments: [
            (["--appendonly", "no"], Durability.none),
            (["--appendonly", "yes", "--appendfsync", "everysec"], .everysec),
            (["--appendonly", "yes", "--appendfsync", "always"], .always),
        ])
    func settings(_ arguments: [String], _ expected: Durability) async throws {
        try await LiveStore.run(arguments) { live in
            let check = try await live.store.checkServers()
            #expect(check.durability == expected)
            #expect(live.store.durability == expected)
            #expect(check.warnings.isEmpty == (expected != .none))
        }
    }

    @Test("a server that may evict is warned of")
    func eviction() async throws {
        let arguments = ["--appendonly", "yes", "--maxmemory", "100mb"]
        for policy in ["allkeys-lru", "volatile-ttl", "noeviction"] {
            try await LiveStore.run(arguments + ["--maxmemory-policy", policy]) { live in
                let warnings = try await live.store.checkServers().warnings
                #expect(warnings.contains { $0.contains(policy) } == (policy != "noeviction"))
            }
        }
    }

    @Test(
        "without a replica that confirms, an ask is not durable, and the job is there all the same")
    func replicas() async throws {
        try await LiveStore.run(waitReplicas: 1, tcp: true) { live in
            func isDurable(_ key: String) async throws -> Bool {
                do {
                    try await live.scene.ask(key)
                    return true
                } catch let error as RefreshError {
                    #expect(error.code == .notDurable)
                    #expect(error.effect == .applied)
                    return false
                }
            }
            #expect(try await !isDurable("a"))
            #expect(try await live.scene.status("a").state == .queued)
            let port = try #require(live.redis.port)
            let replica = try await PrivateRedis.start([
                "--replicaof", "127.0.0.1 \(port)", "--repl-diskless-sync-delay", "0",
            ])
            do {
                try await eventually("the replica confirms", deadline: .seconds(20)) {
                    try await isDurable("b")
                }
                #expect(try await live.store.checkServers().durability == .replicated)
                replica.freeze()
                #expect(try await !isDurable("c"))
                replica.resume()
                try await eventually("it confirms again") { try await isDurable("c") }
            } catch {
                await replica.stop()
                throw error
            }
            await replica.stop()
        }
    }
}

import Runtime
import TestSupport
import Testing

@testable import Redis

@Suite("Slots")
struct SlotTests {
    @Test(
        "a key's slot is that of Redis",
        arguments: [
            ("123456789", 12_739), ("foo", 12_182), ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015),
            ("foo{bar}{zap}", 5061), ("", 0),
        ])
    func slots(key: String, slot: Int) {
        #expect(HashSlot.of(key) == slot)
    }

    @Test("CLUSTER SLOTS becomes a map, with the asked node's host where none is given")
    func map() throws {
        func node(_ host: RedisValue, _ port: Int64) -> RedisValue {
            .array([host, .integer(port), .string(Array("id".utf8))])
        }
        let asked = RedisEndpoint.tcp(host: "asked", port: 1)
        let a = RedisValue.string(Array("a".utf8))
        let reply = RedisValue.array([
            .array([.integer(0), .integer(99), node(a, 1), node(a, 9)]),
            .array([.integer(100), .integer(16_000), node(.string([]), 2)]),
        ])
        var map = try #require(SlotMap(reply, asked: asked))
        #expect(map.master(of: 99) == .tcp(host: "a", port: 1))
        #expect(map.master(of: 100) == .tcp(host: "asked", port: 2))
        #expect(map.master(of: 16_001) == nil)
        map.assign(5, to: .tcp(host: "c", port: 3))
        #expect(map.master(of: 5) == .tcp(host: "c", port: 3))
        #expect(map.masters.count == 3)
        #expect(SlotMap(.array([]), asked: asked) == nil)
        #expect(SlotMap(.array([.integer(1)]), asked: asked) == nil)
    }

    @Test("redirections are read")
    func redirections() {
        let asked = RedisEndpoint.tcp(host: "asked", port: 1)
        let moved = Redirection(RedisError(reply: "MOVED 3999 127.0.0.1:6381"), asked: asked)
        #expect(moved?.slot == 3999)
        #expect(moved?.endpoint == .tcp(host: "127.0.0.1", port: 6381))
        let six = Redirection(RedisError(reply: "ASK 1 ::1:6381"), asked: asked)
        #expect(six?.endpoint == .tcp(host: "::1", port: 6381))
        let same = Redirection(RedisError(reply: "MOVED 1 :6382"), asked: asked)
        #expect(same?.endpoint == .tcp(host: "asked", port: 6382))
        #expect(Redirection(RedisError(reply: "MOVED x y"), asked: asked) == nil)
        #expect(Redirection(RedisError(reply: "ERR no"), asked: asked) == nil)
    }
}

/// Runs `body` with a client of `url`.
private func withClient(
    _ url: String, scripts: RedisScripts = RedisScripts([]),
    _ body: (RedisClient) async throws -> Void
) async throws {
    let url = try RedisURL(parsing: url)
    try await withLoop { loop in
        let client = RedisClient(loop: loop, url: url, name: "client", scripts: scripts)
        defer { client.close() }
        try await body(client)
    }
}

private let add = RedisScript(
    name: "add", source: "#!lua\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])")

/// What is in Redis for each acknowledged addition, and how long none was taken.
private func add(
    _ client: RedisClient, key: String, until isEnough: () async throws -> Bool
) async throws -> (acknowledged: Int, longestGap: Duration) {
    var acknowledged = 0
    var gap = Duration.zero
    var last = ContinuousClock.now
    // Asked first, so that the last addition of all was taken after the failover.
    while true {
        let isLast = try await isEnough() && acknowledged > 0
        do {
            _ = try await client.evaluate(
                add, keys: [key], arguments: [1], deadline: .milliseconds(300))
            acknowledged += 1
            gap = max(gap, ContinuousClock.now - last)
            last = .now
            if isLast { break }
        } catch {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
    return (acknowledged, gap)
}

@Suite("Topologies", .serialized, .timeLimit(.minutes(2)))
struct TopologyTests {
    @Test("one server: client, facts, subscriber and a connection for blocking", .privateRedis)
    func single() async throws {
        let server = try #require(PrivateRedis.current)
        try await withClient(server.url, scripts: RedisScripts([add])) { client in
            let sum = try await client.evaluate(
                add, keys: ["{a}:1"], arguments: [2], deadline: second)
            #expect(sum == .integer(2))
            let facts = try await client.serverFacts(deadline: second)
            #expect(facts.count == 1)
            #expect(facts[0].version?.isEmpty == false)
            #expect(facts[0].role == "master")
            #expect(facts[0].maxMemoryPolicy == "noeviction")
            #expect(facts[0].durability == "none")
            let pair = try await client.evaluateThenWait(
                add, keys: ["{a}:1"], arguments: [2], replicas: 1, timeout: .milliseconds(10),
                deadline: second)
            #expect(pair == (.integer(4), 0))
            let blocking = client.dedicatedConnection(forKey: "q")
            defer { blocking.close() }
            async let popped = blocking.send(["BLPOP", "q", 5], deadline: .seconds(6))
            _ = try await client.send(["RPUSH", "q", "job"], routingKey: "q", deadline: second)
            #expect(try await popped.array?.last?.text == "job")
            let subscriber = client.subscriber(forChannelKey: "{a}")
            defer { subscriber.close() }
            let log = Log<String>()
            subscriber.subscribe(
                ["c"], onMessage: { _, _ in log.append("message") },
                onSubscribed: { _ in log.append("subscribed") })
            try await eventually("subscribed") { log.entries == ["subscribed"] }
            _ = try await client.send(["PUBLISH", "c", "x"], deadline: second)
            try await eventually("message") { log.entries.count == 2 }
        }
    }

    @Test("facts that may not be asked for are left out", .privateRedis)
    func facts() async throws {
        let server = try #require(PrivateRedis.current)
        try await server.cli(
            "ACL", "SETUSER", "low", "on", ">pw", "~*", "+@all", "-config", "-info")
        try await withClient("\(server.url)?user=low&password=pw") { client in
            let facts = try await client.serverFacts(deadline: second)
            #expect(facts.first?.version == nil)
            #expect(facts.first?.appendOnly == nil)
        }
    }

    @Test("Sentinel: the client follows the master through a failover and back to quiet")
    func sentinel() async throws {
        let group = try await PrivateSentinels.start()
        do {
            try await withClient(group.url, scripts: RedisScripts([add])) { client in
                let subscriber = client.subscriber()
                defer { subscriber.close() }
                let log = Log<String>()
                subscriber.subscribe(
                    ["c"], onMessage: { _, _ in log.append("message") },
                    onSubscribed: { _ in log.append("subscribed") },
                    onLost: { _ in log.append("lost") })
                let pair = try await client.evaluateThenWait(
                    add, keys: ["sum"], arguments: [1], replicas: 1, timeout: second,
                    deadline: .seconds(5))
                #expect(pair == (.integer(1), 1))
                try await eventually("subscribed") { log.entries == ["subscribed"] }
                try await group.master.kill()
                let end = ContinuousClock.now + .seconds(20)
                let (count, gap) = try await add(client, key: "sum") {
                    try #require(ContinuousClock.now < end, "no failover in time")
                    let role = try? await client.send(["ROLE"], deadline: second)
                    return client.isConnected && role?.array?.first?.text == "master"
                        && log.entries.suffix(2) == ["lost", "subscribed"]
                }
                print("Sentinel failover: no write for \(gap), \(count) afterwards")
                let sum = try await client.send(["GET", "sum"], deadline: second)
                #expect((sum.int ?? 0) >= Int64(count + 1))
                // The old master comes back as a replica; nobody writes to it.
                try await group.master.restart()
                _ = try await client.send(["PUBLISH", "c", "x"], deadline: second)
                try await eventually("message") { log.entries.last == "message" }
            }
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
    }

    @Test("Cluster: requests find their node through MOVED, ASK and a failover")
    func cluster() async throws {
        let cluster = try await PrivateCluster.start()
        do {
            try await withClient(cluster.url, scripts: RedisScripts([add])) { client in
                try await spread(client)
                try await migrate(client, cluster)
                try await failOver(client, cluster)
            }
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    private func spread(_ client: RedisClient) async throws {
        for number in 0..<30 {
            let key = "{p\(number)}:sum"
            let sum = try await client.evaluate(
                add, keys: [key], arguments: [.integer(Int64(number))], deadline: second)
            #expect(sum == .integer(Int64(number)))
            let value = try await client.send(
                ["GET", .text(key)], routingKey: key, deadline: second)
            #expect(value.int == Int64(number))
        }
        let facts = try await client.serverFacts(deadline: second)
        #expect(facts.count == 3)
        #expect(facts.allSatisfy { $0.isCluster == true })
        let crossed = await redisError {
            _ = try await client.send(["MGET", "a", "b"], routingKey: "a", deadline: second)
        }
        #expect(crossed?.code == .crossSlot)
    }

    /// Moves the slot of `{foo}`, 12182, from the third master to the first, by hand.
    private func migrate(_ client: RedisClient, _ cluster: PrivateCluster) async throws {
        let key = "{foo}:sum"
        let slot = String(HashSlot.of(key))
        _ = try await client.evaluate(add, keys: [key], arguments: [1], deadline: second)
        let from = cluster.masters[2]
        let to = cluster.masters[0]
        try await to.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id(of: from))
        try await from.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id(of: to))
        // What is not there yet is asked for at the new place, scripts and commands alike.
        let new = try await client.evaluate(
            add, keys: ["{foo}:new"], arguments: [5], deadline: second)
        #expect(new == .integer(5))
        let got = try await client.send(
            ["GET", "{foo}:new"], routingKey: "{foo}:new", deadline: second)
        #expect(got.int == 5)
        #expect(
            try await client.evaluate(add, keys: [key], arguments: [1], deadline: second)
                == .integer(2))
        try await from.cli("MIGRATE", "127.0.0.1", "\(to.port ?? 0)", key, "0", "1000")
        let id = try await cluster.id(of: to)
        for node in [to, from, cluster.masters[1]] {
            try await node.cli("CLUSTER", "SETSLOT", slot, "NODE", id)
        }
        #expect(
            try await client.evaluate(add, keys: [key], arguments: [1], deadline: second)
                == .integer(3))
    }

    private func failOver(_ client: RedisClient, _ cluster: PrivateCluster) async throws {
        let key = "{foo}:sum"
        let subscriber = client.subscriber(forChannelKey: key)
        let blocking = client.dedicatedConnection(forKey: key)
        defer {
            subscriber.close()
            blocking.close()
        }
        let log = Log<String>()
        subscriber.subscribe(
            ["c"], onMessage: { _, _ in log.append("message") },
            onSubscribed: { _ in log.append("subscribed") }, onLost: { _ in log.append("lost") })
        try await eventually("subscribed") { log.entries == ["subscribed"] }
        try await blocking.waitUntilConnected(deadline: second)
        let before = try await client.send(["GET", .text(key)], routingKey: key, deadline: second)
        try await eventually("replicated") {
            try await cluster.replica.cli("DBSIZE") == cluster.masters[0].cli("DBSIZE")
        }
        try await cluster.masters[0].kill()
        let end = ContinuousClock.now + .seconds(30)
        let (count, gap) = try await add(client, key: key) {
            try #require(ContinuousClock.now < end, "no failover in time")
            return client.isConnected && log.entries.suffix(2) == ["lost", "subscribed"]
                && blocking.isConnected
        }
        print("Cluster failover: no write for \(gap), \(count) afterwards")
        let after = try await client.send(["GET", .text(key)], routingKey: key, deadline: second)
        #expect((after.int ?? 0) >= (before.int ?? 0) + Int64(count))
        let popped = try await blocking.send(
            ["BLPOP", "{foo}:queue", "0.05"], deadline: .seconds(1))
        #expect(popped == .null)
    }
}

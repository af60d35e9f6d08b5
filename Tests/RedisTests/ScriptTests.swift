import Redis
import Runtime
import TestSupport
import Testing

@Suite("Scripts", .privateRedis, .timeLimit(.minutes(1)))
struct ScriptTests {
    let add = RedisScript(
        name: "add",
        source: "#!lua\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])")
    let echo = RedisScript(name: "echo", source: "#!lua\nreturn {KEYS[1], ARGV[1], ARGV[2]}")
    var scripts: RedisScripts { RedisScripts([add, echo]) }

    private var server: PrivateRedis {
        get throws { try #require(PrivateRedis.current) }
    }

    @Test("all scripts are loaded when the connection is made")
    func loading() async throws {
        try await withConnection(scripts: scripts) { redis in
            try await redis.waitUntilConnected(deadline: second)
            let digest = try #require(scripts["echo"]?.digest)
            let exists = try await redis.send(
                ["SCRIPT", "EXISTS", .bytes(digest)], deadline: second)
            #expect(exists == .array([.integer(1)]))
            let reply = try await redis.evaluate(
                echo, keys: ["script:k"], arguments: [7, .bytes([0, 1])], deadline: second)
            #expect(
                reply
                    == .array([
                        .string(Array("script:k".utf8)), .string(Array("7".utf8)), .string([0, 1]),
                    ]))
        }
    }

    @Test("SCRIPT FLUSH in the middle of it is invisible, and nothing runs twice")
    func flush() async throws {
        let server = try server
        try await withConnection(scripts: scripts) { redis in
            try await redis.waitUntilConnected(deadline: second)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        for _ in 0..<50 {
                            _ = try await redis.evaluate(
                                self.add, keys: ["script:sum"], arguments: [1],
                                deadline: .seconds(5))
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<20 { try await server.cli("SCRIPT", "FLUSH") }
                }
                try await group.waitForAll()
            }
            #expect(try await redis.send(["GET", "script:sum"], deadline: second).int == 1000)
            // After a flush one call loads all scripts again.
            try await server.cli("SCRIPT", "FLUSH")
            _ = try await redis.evaluate(
                add, keys: ["script:sum"], arguments: [1], deadline: second)
            let digest = try #require(echo.digest)
            let exists = try await redis.send(
                ["SCRIPT", "EXISTS", .bytes(digest)], deadline: second)
            #expect(exists == .array([.integer(1)]))
        }
    }

    @Test("a pipeline of calls survives a flush in its order")
    func pipelinedFlush() async throws {
        let server = try server
        try await withConnection(scripts: scripts) { redis in
            try await redis.waitUntilConnected(deadline: second)
            try await server.cli("SCRIPT", "FLUSH")
            let sums = Log<Int64>()
            redis.loop.execute {
                for _ in 0..<10 {
                    redis.evaluate(
                        add, keys: ["script:pipe"], arguments: [1], deadline: second
                    ) { result in
                        if case .success(let value) = result { sums.append(value.int ?? -1) }
                    }
                }
            }
            try await eventually("ten answers") { sums.entries.count == 10 }
            #expect(sums.entries == Array(1...10))
        }
    }

    @Test("an unknown script is sent in full, and a user who may not load can run it")
    func inFull() async throws {
        let server = try server
        try await server.cli(
            "ACL", "SETUSER", "runner", "on", ">pw", "~*", "&*", "+@all", "-script")
        let url = "unix://\(server.socketPath)?user=runner&password=pw"
        try await withConnection(to: url, scripts: scripts) { redis in
            let reply = try await redis.evaluate(
                add, keys: ["script:full"], arguments: [5], deadline: second)
            #expect(reply == .integer(5))
            #expect(add.digest == nil)
        }
    }

    @Test("an error in a script may have half an effect, a refusal of one has none")
    func effects() async throws {
        let half = RedisScript(
            name: "half",
            source: "#!lua\nredis.call('SET', KEYS[1], 1) return redis.call('LPUSH', KEYS[1], 1)")
        try await withConnection(scripts: RedisScripts([half])) { redis in
            let error = await redisError {
                _ = try await redis.evaluate(half, keys: ["script:half"], deadline: second)
            }
            #expect(error?.code == .server("WRONGTYPE"))
            #expect(error?.effect == .unknown)
        }
    }

    @Test(
        "WAIT counts the replicas that have the write, after a flush too, and follows success only")
    func wait() async throws {
        let server = try server
        try await withConnection(scripts: scripts) { redis in
            for round in 1...2 {
                let (value, count) = try await redis.evaluateThenWait(
                    add, keys: ["script:wait"], arguments: [1], replicas: 1,
                    timeout: .milliseconds(20), deadline: second)
                #expect(value == .integer(Int64(round)))
                #expect(count == 0)
                try await server.cli("SCRIPT", "FLUSH")
            }
            let start = ContinuousClock.now
            let half = RedisScript(name: "wrong", source: "#!lua\nreturn redis.call('GET')")
            let refused = await redisError {
                _ = try await redis.evaluateThenWait(
                    half, keys: [], replicas: 1, timeout: .seconds(3), deadline: .seconds(4))
            }
            #expect(refused?.code == .server("ERR"))
            #expect(ContinuousClock.now - start < .seconds(2), "WAIT followed a failed script")
            let late = await redisError {
                _ = try await redis.evaluateThenWait(
                    add, keys: ["script:wait"], arguments: [1], replicas: 1,
                    timeout: .seconds(3), deadline: .milliseconds(600))
            }
            #expect(late?.code == .timeout)
            #expect(late?.effect == .applied)
        }
    }
}

import Redis
import Runtime
import TestSupport
import Testing

/// Each test has a server of its own and breaks it.
@Suite("Failures", .timeLimit(.minutes(1)))
struct FailureTests {
    private var server: PrivateRedis {
        get throws { try #require(PrivateRedis.current) }
    }

    @Test("a killed server comes back and so does the connection", .privateRedis)
    func killAndRestart() async throws {
        let server = try server
        try await withConnection { redis in
            let states = Log<String>()
            redis.onState { state in
                switch state {
                case .connecting: states.append("connecting")
                case .connected: states.append("connected")
                case .disconnected: states.append("disconnected")
                case .closed: states.append("closed")
                }
            }
            try await redis.waitUntilConnected(deadline: second)
            try await server.kill()
            try await eventually("noticed") { !redis.isConnected }
            // Once an attempt has failed, commands fail at once and say why.
            try await eventually("refused at once") {
                let start = ContinuousClock.now
                let error = await redisError {
                    _ = try await redis.send(["PING"], deadline: .seconds(5))
                }
                #expect(error?.code == .unreachable)
                #expect(error?.effect == RedisError.Effect.none)
                return ContinuousClock.now - start < .milliseconds(100)
            }
            try await server.restart()
            try await redis.waitUntilConnected(deadline: .seconds(3))
            #expect(try await redis.send(["PING"], deadline: second) == .status("PONG"))
            #expect(states.entries.prefix(3) == ["connecting", "connected", "disconnected"])
            #expect(states.entries.last == "connected")
        }
    }

    @Test(
        "a closed client connection is replaced at once and the command is of unknown effect",
        .privateRedis)
    func clientKill() async throws {
        try await withConnection(name: "victim") { redis in
            try await redis.waitUntilConnected(deadline: second)
            let error = await redisError {
                _ = try await redis.send(["BLPOP", "never", 0], deadline: .seconds(5)) { _ in
                    try await self.server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                }
            }
            #expect(error?.code == .closed)
            #expect(error?.effect == .unknown)
            #expect(try await redis.send(["PING"], deadline: second) == .status("PONG"))
        }
    }

    @Test(
        "a frozen server: the deadline holds, nothing piles up, and all is well afterwards",
        .privateRedis)
    func frozen() async throws {
        let server = try server
        try await withConnection { redis in
            try await redis.waitUntilConnected(deadline: second)
            server.freeze()
            let start = ContinuousClock.now
            let error = await redisError {
                _ = try await redis.send(["INCR", "frozen"], deadline: .milliseconds(250))
            }
            let taken = ContinuousClock.now - start
            #expect(error?.code == .timeout)
            #expect(error?.effect == .unknown)
            #expect(taken >= .milliseconds(250) && taken < .milliseconds(400))
            try await eventually("the silent socket is given up", deadline: .seconds(3)) {
                !redis.isConnected
            }
            #expect(ContinuousClock.now - start < .milliseconds(1600))
            try await eventually("attempts fail", deadline: .seconds(5)) {
                let start = ContinuousClock.now
                _ = await redisError { _ = try await redis.send(["PING"], deadline: second) }
                return ContinuousClock.now - start < .milliseconds(100)
            }
            server.resume()
            try await redis.waitUntilConnected(deadline: .seconds(4))
            // The command was in the server's buffer and ran after all: unknown was right.
            #expect(try await redis.send(["GET", "frozen"], deadline: second).int == 1)
        }
    }

    @Test("a late reply is dropped in its place and the connection goes on", .privateRedis)
    func lateReply() async throws {
        let server = try server
        try await withConnection { redis in
            try await redis.waitUntilConnected(deadline: second)
            server.freeze()
            let error = await redisError {
                _ = try await redis.send(["ECHO", "late"], deadline: .milliseconds(100))
            }
            #expect(error?.code == .timeout)
            server.resume()
            for number in 0..<10 {
                let text = "\(number)"
                let reply = try await redis.send(["ECHO", .text(text)], deadline: second)
                #expect(reply.text == text)
            }
        }
    }

    @Test(
        "a wrong password is named and a right one works",
        .privateRedis("--requirepass", "right"))
    func authentication() async throws {
        let path = try server.socketPath
        for password in ["?password=wrong", ""] {
            try await withConnection(to: "unix://\(path)\(password)") { redis in
                let error = await redisError {
                    _ = try await redis.send(["PING"], deadline: second)
                }
                #expect(error?.code == .authentication)
                #expect(error?.effect == RedisError.Effect.none)
            }
        }
        try await withConnection(to: "unix://\(path)?password=right", name: "named one") { redis in
            let name = try await redis.send(["CLIENT", "GETNAME"], deadline: second)
            #expect(name.text == "named_one")
        }
    }

    @Test("a database that is not there is named", .privateRedis("--databases", "2"))
    func database() async throws {
        let path = try server.socketPath
        try await withConnection(to: "unix://\(path)?db=5") { redis in
            let error = await redisError { _ = try await redis.send(["PING"], deadline: second) }
            #expect(error?.code == .invalidDatabase)
        }
        try await withConnection(to: "unix://\(path)?db=1") { redis in
            _ = try await redis.send(["SET", "k", "one"], deadline: second)
        }
        #expect(try await server.cli("-n", "1", "GET", "k") == "one")
    }

    @Test(
        "refusals of a full or sick server have their codes and no effect",
        .privateRedis("--maxmemory", "100kb", "--maxmemory-policy", "noeviction"))
    func refusals() async throws {
        try await withConnection { redis in
            let full = await redisError {
                _ = try await redis.send(["SET", "k", "v"], deadline: second)
            }
            #expect(full?.code == .oom)
            #expect(full?.effect == RedisError.Effect.none)
            try await self.server.cli(
                "CONFIG", "SET", "maxmemory", "0", "min-replicas-to-write", "1")
            let lonely = await redisError {
                _ = try await redis.send(["SET", "k", "v"], deadline: second)
            }
            #expect(lonely?.code == .noReplicas)
            try await self.server.cli("CONFIG", "SET", "min-replicas-to-write", "0")
            try await self.server.cli("REPLICAOF", "127.0.0.1", "1")
            let replica = await redisError {
                _ = try await redis.send(["SET", "k", "v"], deadline: second)
            }
            #expect(replica?.code == .readonly)
        }
    }

    @Test("a cancelled task gets its error at once", .privateRedis)
    func cancellation() async throws {
        try await withConnection { redis in
            try await redis.waitUntilConnected(deadline: second)
            let start = ContinuousClock.now
            let task = Task {
                await redisError {
                    _ = try await redis.send(["BLPOP", "never", 0], deadline: .seconds(30))
                }
            }
            try await eventually("blocked") {
                try await self.server.cli("INFO", "clients").contains("blocked_clients:1")
            }
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            #expect(error?.effect == .unknown)
            #expect(ContinuousClock.now - start < .seconds(5))
            let early = Task {
                unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
                return await redisError { _ = try await redis.send(["PING"], deadline: second) }
            }
            #expect(await early.value?.effect == RedisError.Effect.none)
        }
    }

    @Test("a blocking connection that hears nothing past its deadline is replaced", .privateRedis)
    func blocking() async throws {
        let server = try server
        try await withConnection(options: .blocking) { redis in
            try await redis.waitUntilConnected(deadline: second)
            let empty = try await redis.send(["BLPOP", "q", "0.05"], deadline: second)
            #expect(empty == .null)
            server.freeze()
            let error = await redisError {
                _ = try await redis.send(["BLPOP", "q", "0.05"], deadline: .milliseconds(300))
            }
            #expect(error?.effect == .unknown)
            try await eventually("given up") { !redis.isConnected }
            server.resume()
            try await redis.waitUntilConnected(deadline: .seconds(3))
            let nothing = try await redis.send(["BLPOP", "q", "0.05"], deadline: second)
            #expect(nothing == .null)
        }
    }

    @Test("what nobody listens to is unreachable, and says why")
    func nobody() async throws {
        let port = try LoopbackPort.free()
        try await withConnection(to: "redis://127.0.0.1:\(port)") { redis in
            let error = await redisError { _ = try await redis.send(["PING"], deadline: second) }
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
            #expect(error?.message.contains("refused") == true)
        }
        try await withConnection(to: "redis://no-such-host.invalid") { redis in
            let error = await redisError {
                _ = try await redis.send(["PING"], deadline: .seconds(5))
            }
            #expect(error?.code == .unreachable)
        }
    }

    @Test("names are looked up and TCP works", .privateRedis(tcp: true))
    func tcp() async throws {
        let port = try #require(server.port)
        try await withConnection(to: "redis://localhost:\(port)/1") { redis in
            let pong = try await redis.send(["PING"], deadline: second)
            #expect(pong == .status("PONG"))
        }
    }

    @Test("past the bound commands are refused", .privateRedis)
    func overload() async throws {
        let server = try server
        var options = RedisOptions()
        options.maxCommands = 100
        try await withConnection(options: options) { redis in
            try await redis.waitUntilConnected(deadline: second)
            server.freeze()
            let codes = Log<RedisError.Code>()
            redis.loop.execute {
                for _ in 0..<150 {
                    redis.call(["PING"], deadline: .milliseconds(300)) { result in
                        if case .failure(let error) = result { codes.append(error.code) }
                    }
                }
            }
            try await eventually("all have ended") { codes.entries.count == 150 }
            #expect(codes.entries.count { $0 == .overloaded } == 50)
            #expect(codes.entries.count { $0 == .timeout } == 100)
            server.resume()
        }
    }

    @Test("close ends what is under way", .privateRedis)
    func close() async throws {
        try await withConnection { redis in
            try await redis.waitUntilConnected(deadline: second)
            async let error = redisError {
                _ = try await redis.send(["BLPOP", "never", 0], deadline: .seconds(30))
            }
            try await eventually("blocked") {
                try await self.server.cli("INFO", "clients").contains("blocked_clients:1")
            }
            redis.close()
            #expect(await error?.code == .closed)
            let after = await redisError { _ = try await redis.send(["PING"], deadline: second) }
            #expect(after?.code == .closed)
        }
    }

    @Test(
        "a server that still loads its data is named and waited for",
        .privateRedis("--appendonly", "yes", "--key-load-delay", "700"))
    func loading() async throws {
        let server = try server
        try await withConnection { redis in
            _ = try await redis.send(
                ["EVAL", "for i = 1, 5000 do redis.call('SET', 'k' .. i, i) end", 0],
                deadline: .seconds(5))
            try await server.cli("BGREWRITEAOF")
            try await eventually("rewritten") {
                try await server.cli("INFO", "persistence").contains("aof_rewrite_in_progress:0")
            }
            try await server.kill()
            async let restarted: Void = server.restart()
            try await eventually("refused as loading") {
                let error = await redisError {
                    _ = try await redis.send(["GET", "k1"], deadline: .milliseconds(100))
                }
                return error?.code == .loading
            }
            try await restarted
            try await redis.waitUntilConnected(deadline: .seconds(10))
            #expect(try await redis.send(["GET", "k5000"], deadline: second).int == 5000)
        }
    }
}

extension RedisConnection {
    /// Sends a command that blocks and runs `meanwhile` once it is under way.
    fileprivate func send(
        _ arguments: [RedisArgument], deadline: Duration,
        meanwhile: @escaping @Sendable (RedisConnection) async throws -> Void
    ) async throws -> RedisValue {
        async let reply = send(arguments, deadline: deadline)
        try await eventually("written") { isConnected }
        try await meanwhile(self)
        return try await reply
    }
}

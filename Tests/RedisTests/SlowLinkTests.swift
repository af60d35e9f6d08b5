import Redis
import TestSupport
import Testing

@Suite("A long way to the server", .privateRedis, .timeLimit(.minutes(1)))
struct SlowLinkTests {
    @Test("a greeting that takes longer than the timeout, but goes on, makes a connection")
    func greeting() async throws {
        let server = try #require(PrivateRedis.current)
        // 20 scripts of 4 KB in pieces of 4 KB, 20 ms each: the whole takes more than twice 200 ms.
        let scripts = RedisScripts(
            (0..<20).map { number in
                let padding = String(repeating: "-- padding\n", count: 370)
                return RedisScript(name: "s\(number)", source: "#!lua\n\(padding)return \(number)")
            })
        let link = try SlowLink(to: server.socketPath, delay: .milliseconds(20), piece: 4096)
        defer { link.stop() }
        var options = RedisOptions()
        options.connectTimeout = .milliseconds(200)
        try await withConnection(
            to: "redis://127.0.0.1:\(link.port)", scripts: scripts, options: options
        ) { redis in
            try await redis.waitUntilConnected(deadline: .seconds(5))
            #expect(try await redis.send(["PING"], deadline: second) == .status("PONG"))
        }
    }

    @Test("a server that falls silent is given up all the same")
    func silence() async throws {
        let server = try #require(PrivateRedis.current)
        let link = try SlowLink(to: server.socketPath, delay: .milliseconds(1), piece: 4096)
        defer { link.stop() }
        server.freeze()
        defer { server.resume() }
        var options = RedisOptions()
        options.connectTimeout = .milliseconds(200)
        try await withConnection(to: "redis://127.0.0.1:\(link.port)", options: options) { redis in
            let started = ContinuousClock.now
            let error = await redisError {
                _ = try await redis.send(["PING"], deadline: .seconds(5))
            }
            #expect(error?.code == .unreachable)
            #expect(.now - started < .milliseconds(700))
        }
    }
}

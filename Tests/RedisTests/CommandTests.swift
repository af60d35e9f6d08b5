import Redis
import Runtime
import TestSupport
import Testing

@Suite("Commands", .privateRedis, .timeLimit(.minutes(1)))
struct CommandTests {
    @Test("each type of reply arrives as it was sent")
    func replyTypes() async throws {
        try await withConnection { redis in
            #expect(try await redis.send(["PING"], deadline: second) == .status("PONG"))
            #expect(try await redis.send(["GET", "types:none"], deadline: second) == .null)
            #expect(try await redis.send(["INCR", "types:n"], deadline: second) == .integer(1))
            let nested = "return {1, {2, {'a', false}}, {}, redis.status_reply('fine')}"
            let reply = try await redis.send(["EVAL", .text(nested), 0], deadline: second)
            #expect(
                reply
                    == .array([
                        .integer(1),
                        .array([.integer(2), .array([.string(Array("a".utf8)), .null])]),
                        .array([]), .status("fine"),
                    ]))
            let least = try await redis.send(
                ["EVAL", "return tostring(ARGV[1])", 0, .integer(.min)], deadline: second)
            #expect(least.int == .min)
        }
    }

    @Test("an error inside an array stays a value, one that is the reply is thrown")
    func errors() async throws {
        try await withConnection { redis in
            let reply = try await redis.send(
                ["EVAL", "return {1, redis.error_reply('NOPE half')}", 0], deadline: second)
            #expect(reply.array?.last == .error("NOPE half"))
            _ = try await redis.send(["SET", "errors:s", "x"], deadline: second)
            let error = await redisError {
                _ = try await redis.send(["LPUSH", "errors:s", "x"], deadline: second)
            }
            #expect(error?.code == .server("WRONGTYPE"))
            #expect(error?.effect == RedisError.Effect.none)
        }
    }

    @Test("all bytes survive in keys, arguments and replies")
    func binary() async throws {
        try await withConnection { redis in
            let all = (0...255).map { UInt8($0) } + Array("\r\n$5\r\n".utf8)
            let key = RedisArgument([0, 13, 10, 255])
            _ = try await redis.send(["SET", key, .bytes(all)], deadline: second)
            #expect(try await redis.send(["GET", key], deadline: second).bytes == all)
            _ = try await redis.send(["SET", key, ""], deadline: second)
            #expect(try await redis.send(["GET", key], deadline: second).bytes == [])
        }
    }

    @Test("commands of one turn leave in one write and come back in order")
    func pipelining() async throws {
        try await withConnection { redis in
            try await redis.waitUntilConnected(deadline: second)
            let order = Log<Int64>()
            redis.loop.execute {
                for number in 0..<1000 {
                    redis.call(["INCR", "pipelining"], deadline: second) { result in
                        if case .success(let value) = result { order.append(value.int ?? -1) }
                        if number == 999 { order.append(0) }
                    }
                }
            }
            try await eventually("1000 replies") { order.entries.count == 1001 }
            #expect(order.entries == Array(1...1000) + [0])
        }
    }

    @Test("tasks of many threads share a connection")
    func manyTasks() async throws {
        try await withConnection { redis in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<50 {
                    group.addTask {
                        for round in 0..<20 {
                            let text = "\(task):\(round)"
                            let reply = try await redis.send(
                                ["ECHO", .text(text)], deadline: .seconds(5))
                            #expect(reply.text == text)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("81 MB go in and out")
    func largeValue() async throws {
        try await withConnection { redis in
            let large = [UInt8](repeating: 0x61, count: 81_000_000)
            let clock = ContinuousClock()
            let start = clock.now
            _ = try await redis.send(["SET", "large", .bytes(large)], deadline: .seconds(10))
            let middle = clock.now
            let back = try await redis.send(["GET", "large"], deadline: .seconds(10))
            print("81 MB: SET \(middle - start), GET \(clock.now - middle)")
            #expect(back.bytes == large)
            #expect(try await redis.send(["DEL", "large"], deadline: second) == .integer(1))
        }
    }
}

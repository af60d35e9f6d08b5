import Redis
import Runtime
import TestSupport
import Testing

@Suite("Subscriptions", .timeLimit(.minutes(1)))
struct SubscriberTests {
    private var server: PrivateRedis {
        get throws { try #require(PrivateRedis.current) }
    }

    private func withSubscriber(
        _ body: (RedisSubscriber, Log<String>) async throws -> Void
    ) async throws {
        let url = try RedisURL(parsing: server.url)
        try await withLoop { loop in
            let subscriber = RedisSubscriber(loop: loop, url: url, name: "ears")
            defer { subscriber.close() }
            let log = Log<String>()
            subscriber.subscribe(
                ["news", "weather"],
                onMessage: { channel, payload in
                    log.append("\(channel)=\(String(decoding: payload, as: UTF8.self))")
                },
                onSubscribed: { log.append($0 ? "again" : "subscribed") },
                onLost: { _ in log.append("lost") })
            try await body(subscriber, log)
        }
    }

    @Test("messages arrive in order after the confirmation", .privateRedis)
    func messages() async throws {
        try await withSubscriber { subscriber, log in
            try await eventually("subscribed") { log.entries == ["subscribed"] }
            try await server.cli("PUBLISH", "news", "1")
            try await server.cli("PUBLISH", "weather", "2")
            try await eventually("messages") { log.entries.count == 3 }
            #expect(log.entries == ["subscribed", "news=1", "weather=2"])
            let more = Log<String>()
            let subscription = subscriber.subscribe(
                ["news"], onMessage: { _, _ in more.append("message") },
                onSubscribed: { _ in more.append("subscribed") })
            try await eventually("second listener") { more.entries == ["subscribed"] }
            try await server.cli("PUBLISH", "news", "3")
            try await eventually("both") { more.entries.count == 2 && log.entries.count == 4 }
            subscriber.unsubscribe(subscription)
            try await server.cli("PUBLISH", "news", "4")
            try await eventually("only the first") { log.entries.count == 5 }
            #expect(more.entries.count == 2)
        }
    }

    @Test("after a killed connection and a killed server it listens again", .privateRedis)
    func resubscribes() async throws {
        let server = try server
        try await withSubscriber { _, log in
            try await eventually("subscribed") { log.entries == ["subscribed"] }
            try await server.cli("CLIENT", "KILL", "TYPE", "pubsub")
            try await eventually("again") { log.entries == ["subscribed", "lost", "again"] }
            try await server.kill()
            try await eventually("lost") { log.entries.count == 4 }
            try await server.restart()
            try await eventually("again") { log.entries.count == 5 }
            try await server.cli("PUBLISH", "news", "x")
            try await eventually("message") { log.entries.last == "news=x" }
            #expect(log.entries == ["subscribed", "lost", "again", "lost", "again", "news=x"])
        }
    }

    @Test("a silent server is found within 3 s", .privateRedis)
    func silence() async throws {
        let server = try server
        try await withSubscriber { subscriber, log in
            try await eventually("subscribed") { log.entries == ["subscribed"] }
            server.freeze()
            let start = ContinuousClock.now
            try await eventually("lost") { log.entries == ["subscribed", "lost"] }
            #expect(ContinuousClock.now - start < .milliseconds(3100))
            server.resume()
            try await eventually("again") { log.entries == ["subscribed", "lost", "again"] }
        }
    }

    @Test("an idle subscription lives on its pings", .privateRedis)
    func idle() async throws {
        let server = try server
        try await withSubscriber { _, log in
            try await eventually("pings were answered") {
                try await server.cli("INFO", "commandstats").contains("cmdstat_ping:calls=3")
                    || log.entries.count > 1
            }
            #expect(log.entries == ["subscribed"])
        }
    }
}

import Configuration
import FreshetModel
import Testing

@Suite("Inheritance and defaults")
struct InheritanceTests {
    private func parse(_ text: String) throws -> Settings {
        try Configuration.parse(text: text, file: "F", environment: [:])
    }

    @Test("every field but path, schedule and watch, over several dots")
    func everyField() throws {
        let settings = try parse(
            """
            resources:
              a:
                path: /a
                fresh_for: 1m
                keep_for: 2m
                cold: unavailable
                wait_timeout: 3s
                response: raw
                priority: low
                schedule: {every: 1h}
                refresh_ahead: 0.5
                jitter: 0.2
                params: {x: {default: 1}}
                max_variants: 5
                retry: {max: 7, interval: 1s, backoff: 3, max_interval: 9s}
                timeout: 4s
                lease: 5s
                source: {directory: {root: "/srv", watch: true, max_files: 3}}
              a.b: {}
              a.b.c: {priority: high, retry: {max: 1}}
            """)
        let (a, b, c) = (
            try settings.named("a"), try settings.named("a.b"), try settings.named("a.b.c")
        )
        guard case .directory(let directory)? = a.source else {
            Issue.record("no directory")
            return
        }
        #expect(directory.watch)
        var expected = a
        expected.name = b.name
        expected.path = nil
        expected.schedule = nil
        var unwatched = directory
        unwatched.watch = false
        expected.source = .directory(unwatched)
        #expect(b == expected)
        expected.name = c.name
        expected.priority = .high
        // What `retry` leaves out is inherited like a field.
        expected.retry.maximumRetries = 1
        #expect(c == expected)
        #expect(c.retry.interval == .seconds(1))
    }

    @Test("an own source is not mixed with the inherited one")
    func ownSource() throws {
        let settings = try parse(
            """
            resources:
              a: {source: {http: {url: "http://h/a", timeout: 1s}}}
              a.b: {source: {http: {url: "http://h/b"}}}
              c.d: {source: {csv: {file: x}}}
            """)
        #expect(try settings.named("a.b").source == .http(HTTPSource(url: "http://h/b")))
        #expect(try settings.named("c.d").source?.kind == "csv")
    }

    @Test("defaults lie beneath, and beneath them refresh's retries and the built-in values")
    func defaults() throws {
        let settings = try parse(
            """
            refresh: {max_retries: 9, retry_interval: 5s}
            defaults: {fresh_for: 1m, priority: low, response: raw, retry: {interval: 7s}}
            resources:
              a: {fresh_for: 2m, source: {csv: {file: x}}}
              a.b: {}
              c: {retry: {max: 0}, source: {csv: {file: x}}}
            """)
        let (a, b, c) = (
            try settings.named("a"), try settings.named("a.b"), try settings.named("c")
        )
        #expect(a.freshness.freshFor == .duration(.seconds(120)))
        #expect(b.freshness.freshFor == .duration(.seconds(120)))
        #expect(c.freshness.freshFor == .duration(.seconds(60)))
        #expect([a, b, c].allSatisfy { $0.priority == .low && $0.response == .raw })
        #expect(a.retry.maximumRetries == 9)
        #expect(a.retry.interval == .seconds(7))
        #expect(a.retry.backoff == 2)
        #expect(c.retry.maximumRetries == 0)
        #expect(c.retry.maximumAttempts == 1)
    }

    @Test("never is kept until purged unless the resource or one it inherits from says keep_for")
    func never() throws {
        let settings = try parse(
            """
            defaults: {keep_for: 2d}
            resources:
              a: {fresh_for: never, source: {csv: {file: x}}}
              a.b: {keep_for: 3d}
              a.b.c: {}
              a.d: {fresh_for: 1m}
              e: {keep_for: 4d, source: {csv: {file: x}}}
              e.f: {fresh_for: never}
              g: {fresh_for: always, source: {csv: {file: x}}}
            """)
        #expect(try settings.named("a").freshness.freshFor == .never)
        #expect(try settings.named("a").freshness.keepFor == nil)
        #expect(try settings.named("a.b").freshness.keepFor == .seconds(3 * 86_400))
        #expect(try settings.named("a.b.c").freshness.keepFor == .seconds(3 * 86_400))
        #expect(try settings.named("a.d").freshness.keepFor == .seconds(2 * 86_400))
        #expect(try settings.named("e.f").freshness.keepFor == .seconds(4 * 86_400))
        #expect(try settings.named("g").freshness.freshFor == .always)
        #expect(try settings.named("g").freshness.keepFor == .seconds(2 * 86_400))
    }

    @Test("the built-in keep_for does not end what is still fresh")
    func longFreshness() throws {
        let settings = try parse(
            """
            resources:
              a: {fresh_for: 20d, jitter: 0.5, source: {csv: {file: x}}}
              b: {fresh_for: 20d, keep_for: 1d, source: {csv: {file: x}}}
            """)
        #expect(try settings.named("a").freshness.keepFor == .seconds(30 * 86_400))
        #expect(try settings.named("b").freshness.keepFor == .seconds(86_400))
    }

    @Test("a parameter without a pattern takes text, and a number is a default as it is written")
    func parameters() throws {
        let settings = try parse(
            """
            resources:
              a:
                params: {page: {default: 1}, city: , on: {default: true, pattern: "true|false"}}
                source: {command: {argv: [run]}}
            """)
        let rules = try settings.named("a").parameters
        #expect(rules.map(\.name) == ["city", "on", "page"])
        #expect(rules.map(\.defaultValue) == [nil, "true", "1"])
        #expect(rules[0].pattern == ParameterRule.standardPattern)
        let key = try settings.named("a").key(parameters: [.init(name: "city", value: "Å")])
        #expect(key.text == "a?city=%C3%85&on=true&page=1")
    }
}

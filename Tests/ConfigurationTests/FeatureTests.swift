import Configuration
import FreshetModel
import Testing

@Suite("YAML and variables")
struct FeatureTests {
    private func parse(_ text: String, _ environment: [String: String] = [:]) throws -> Settings {
        try Configuration.parse(text: text, file: "F", environment: environment)
    }

    @Test("anchors, aliases and merges")
    func anchors() throws {
        let settings = try parse(
            """
            resources:
              a: &base
                fresh_for: 1m
                priority: low
                source: &source {csv: {file: x}}
              b: {<<: *base, priority: high}
              c: {<<: [{fresh_for: 2m}, *base]}
              d: {source: *source}
            """)
        #expect(try settings.named("b").freshness.freshFor == .duration(.seconds(60)))
        #expect(try settings.named("b").priority == .high)
        #expect(try settings.named("c").freshness.freshFor == .duration(.seconds(120)))
        #expect(try settings.named("c").priority == .low)
        #expect(try settings.named("d").source == settings.named("a").source)
    }

    @Test("comments, empty sections, a byte order mark, DOS line ends")
    func leniency() throws {
        for text in [
            "", "# nothing\n", "---\n...\n", "redis:\napi:\nworker:\nrefresh:\ndefaults:\n",
            "\u{FEFF}worker: {}\n", "worker:\r\n  concurrency: 4\r\n",
            "%YAML 1.1\n---\nworker: {}\n",
        ] {
            let settings = try parse(text)
            #expect(settings == Settings())
        }
    }

    @Test("variables stand in values, quoted or not, and are not read again")
    func variables() throws {
        let settings = try parse(
            #"""
            redis: {url: "redis://:${PASSWORD}@${HOST}:${PORT}", namespace: "${NAME}"}
            worker: {concurrency: "${COUNT}", drain_timeout: "${SECONDS}s"}
            resources:
              a:
                source:
                  command:
                    argv: [echo, "$HOME", "$$", "${TRICK}", "a$"]
                    working_directory: "$${PASSWORD}/$$${HOST}/$${"
            """#,
            [
                "PASSWORD": "p}{$", "HOST": "h", "PORT": "1", "NAME": "n", "COUNT": "3",
                "SECONDS": "7", "TRICK": "x, y: ${ \n- z",
            ])
        #expect(settings.redis.url == "redis://:p}{$@h:1")
        #expect(settings.redis.namespace == "n")
        #expect(settings.worker.concurrency == 3)
        #expect(settings.worker.drainTimeout == .seconds(7))
        var command = CommandSource(argv: ["echo", "$HOME", "$$", "x, y: ${ \n- z", "a$"])
        command.workingDirectory = "${PASSWORD}/$${HOST}/${"
        let source = try #require(settings.resources.values.first?.source)
        #expect(source == .command(command))
    }

    @Test("a variable that is set and empty is empty text, not nothing")
    func emptyVariable() {
        #expect(
            errors(of: "redis: {url: \"${EMPTY}\"}", ["EMPTY": ""]) == ["F:1:14: `url`: is empty"])
    }

    @Test(
        "durations",
        arguments: [
            ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000),
            ("6d", 518_400_000), ("2w", 1_209_600_000), ("007s", 7_000), ("\"5s\"", 5_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) throws {
        let settings = try parse(
            "defaults: {}\nworker: {drain_timeout: \(text == "6d" || text == "2w" ? "0" : text)}")
        if text != "6d", text != "2w" {
            #expect(settings.worker.drainTimeout.milliseconds == milliseconds)
        }
        let refresh = try parse("refresh: {active_window: \(text)}")
        #expect(refresh.refresh.activeWindow.milliseconds == milliseconds)
    }

    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("1000", 1_000), ("5B", 5), ("64KiB", 65_536), ("100MiB", 104_857_600),
            ("2GiB", 2_147_483_648),
        ])
    func sizes(text: String, bytes: Int) throws {
        #expect(try parse("api: {memory_limit: \(text)}").api.memoryLimit == bytes)
    }

    @Test(
        "Redis URLs of every form",
        arguments: [
            "redis://127.0.0.1", "redis://:p@ss/word@h:6379/0", "redis://user:pass@[::1]:6379/15",
            "redis://h/", "unix:///run/redis.sock", "unix:///run/redis.sock?db=2&password=x",
            "redis+sentinel://h1:26379,h2:26379/mymaster", "redis+sentinel://:p@h1,h2/m/3",
            "redis+sentinel://h1/m?sentinel_password=x", "redis+cluster://h1:7000,h2:7001",
            "redis+cluster://user:pass@h1,h2",
        ])
    func redisURLs(url: String) throws {
        #expect(try parse("redis: {url: \"\(url)\"}").redis.url == url)
    }

    @Test(
        "passwords are not in the summary",
        arguments: [
            ("redis://:secret@h:1/2", "redis://:***@h:1/2"),
            ("redis://me:se@cret@h", "redis://me:***@h"),
            ("unix:///a?db=2&password=secret", "unix:///a?db=2&password=***"),
            (
                "redis+sentinel://h/m?sentinel_password=secret",
                "redis+sentinel://h/m?sentinel_password=***"
            ),
            ("redis+cluster://h1,h2", "redis+cluster://h1,h2"),
        ])
    func redaction(url: String, shown: String) throws {
        let file = try Configuration.check(
            Array("redis: {url: \"\(url)\"}".utf8), file: "F", environment: [:])
        #expect(file.summary == "F: 0 resources, 0 schedules, \(shown)")
    }

    @Test("two live secrets of one name, scopes and resources of keys")
    func keys() throws {
        let (one, two) = (String(repeating: "0", count: 64), String(repeating: "Ab", count: 32))
        let settings = try parse(
            """
            api:
              listen: "[::]:8080"
              tls: {certificate: a.pem, key: b.pem}
              rate_limit: {requests_per_second: 2.5}
              keys:
                - {name: web, sha256: \(one)}
                - {name: web, sha256: \(two), scopes: [admin], resources: ["process*"]}
            """)
        #expect(settings.api.keys.map(\.name) == ["web", "web"])
        #expect(settings.api.keys[0].scopes == [.read])
        #expect(settings.api.keys[0].sha256 == [UInt8](repeating: 0, count: 32))
        #expect(settings.api.keys[1].sha256 == [UInt8](repeating: 0xAB, count: 32))
        #expect(settings.api.keys[1].resources == ["process*"])
        #expect(settings.api.tls == TLSFiles(certificate: "a.pem", key: "b.pem"))
        #expect(settings.api.rateLimit == RateLimit(requestsPerSecond: 2.5, burst: 3))
    }

    @Test("limits of clients, and what holds where nothing is said")
    func limits() throws {
        let said = try parse(
            """
            api:
              limits:
                connections: 100
                connections_per_address: 0
                streams_per_client: 7
                header_bytes: 16KiB
                idle_timeout: 2m
            """
        ).api
        #expect(said.limits.connections == 100 && said.limits.headerBytes == 16 << 10)
        #expect(said.limits.idleTimeout == .seconds(120))
        #expect(said.limits.connectionsPerAddress(of: said) == 0)
        #expect(said.limits.streamsPerClient(of: said) == 7)
        var open = APISettings()
        #expect(open.limits.connectionsPerAddress(of: open) == 0)
        open.listen = "0.0.0.0:80"
        #expect(open.limits.connectionsPerAddress(of: open) == 4096)
        #expect(open.limits.streamsPerClient(of: open) == 4096)
    }

    @Test("literal paths beside templates, which yield to them")
    func paths() throws {
        let settings = try parse(
            """
            resources:
              a: {path: "/api/{x}", params: {x: {}}, source: {http: {url: "http://h/{x}"}}}
              b: {path: /api/b, source: {csv: {file: x}}}
              c: {path: "/api/b/{x}", params: {x: {}}, source: {http: {url: "http://h/{x}"}}}
              d: {path: "/api/{x}/{y}", params: {x: {}, y: {}}, source: {http: {url: "http://h/{x}/{y}"}}}
              e: {path: /, source: {csv: {file: x}}}
              f: {path: /vår/side, source: {csv: {file: x}}}
            """)
        #expect(settings.resources.count == 6)
    }
}

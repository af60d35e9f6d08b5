import Configuration
import Testing

@Suite("Warnings")
struct WarningTests {
    private func warnings(_ text: String) throws -> [String] {
        try Configuration.check(Array(text.utf8), file: "F", environment: [:]).warnings.map {
            "\($0.place.line):\($0.place.column): \($0.message)"
        }
    }

    @Test("times that contradict each other")
    func times() throws {
        let found = try warnings(
            """
            resources:
              a:
                timeout: 5s
                lease: 10s
                source: {http: {url: "http://h", timeout: 20s, connect_timeout: 30s}}
              b: {fresh_for: 5m, keep_for: 1m, source: {csv: {file: x}}}
              c: {fresh_for: always, refresh_ahead: 0.5, source: {csv: {file: x}}}
            """)
        #expect(
            found == [
                "4:12: `lease` is longer than `timeout`, so no attempt outlives it",
                "5:47: longer than the `timeout` of `a`, 5s, which ends the attempt before",
                "5:69: `connect_timeout` is longer than `timeout`, which ends the request before",
                "6:32: shorter than the `fresh_for` of `b`, 5m: payloads go while they are fresh",
                "7:41: `refresh_ahead` does nothing for `c`, which has no time to be ahead of",
            ])
    }

    @Test("parameters that do nothing, or more than they should")
    func parameters() throws {
        let found = try warnings(
            """
            resources:
              a: {params: {x: {pattern: a}}, source: {csv: {file: a}}}
              b: {params: {x: {}}, source: {command: {argv: [run, "{x}", "--x={x}"]}}}
              c: {params: {x: {}}, source: {csv: {file: "/srv/{x}.csv"}}}
              d: {params: {x: {pattern: "[a-z]+"}}, source: {command: {argv: [run, "{x}"]}}}
            """)
        #expect(
            found == [
                "2:16: `x` is in no template of the source: its keys have equal payloads",
                "3:55: `{x}` may begin with `-`, which is refused lest it be an option; "
                    + "its `pattern` can say so",
                "4:45: `{x}` may hold `/` or be `..`, which is refused in a path; "
                    + "its `pattern` can say so",
            ])
    }

    @Test("paths, keys and an address in the open")
    func open() throws {
        let hash = String(repeating: "0", count: 64)
        let found = try warnings(
            """
            api:
              listen: 0.0.0.0:80
              keys: [{name: a, sha256: \(hash), resources: [b]}]
            resources:
              a:
                path: "/{x}"
                params: {x: {pattern: a}}
                source: {http: {url: "http://h/{x}"}}
            """)
        let shadowed = [
            "/health", "/ready", "/refresh", "/status", "/stats", "/metrics", "/openapi.json",
            "/fetch-data", "/dashboard",
        ]
        #expect(
            found == [
                "2:11: secrets travel in clear text beyond this machine: set `tls`, or put a "
                    + "proxy with TLS in front",
                "3:106: no resource is called `b`",
            ] + shadowed.map { "6:11: `path` also matches `\($0)`, which the API answers itself" })
    }

    @Test("a file without resources")
    func nothing() throws {
        let file = try Configuration.check(
            Array("worker: {}".utf8), file: "F", environment: [:])
        #expect(
            file.warningLines == ["F:1:1: warning: there are no `resources` to keep fresh"])
    }
}

import Configuration
import FreshetModel
import Testing

/// What the example of the contract says, field by field.
@Suite("The example of the contract")
struct ContractTests {
    static let example = #"""
        redis:
          url: redis://:password@127.0.0.1:6379/0
          namespace: freshet
          partitions: 1
          wait_replicas: 0
        api:
          listen: 127.0.0.1:8080
          keys: [{name: web, sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", scopes: [read, refresh]}]
          rate_limit: {requests_per_second: 50, burst: 100}
          open_metrics: false
          memory_limit: 256MiB
        worker: {concurrency: 4, drain_timeout: 30s}
        refresh:
          check_interval: 30s
          max_concurrent: 3
          max_queue: 1000000
          batch_size: 5
          retry_interval: 60s
          max_retries: 3
          keep_jobs: 24h
          active_window: 1h
        defaults: {fresh_for: 5m, keep_for: 7d, timeout: 5m, lease: 10s, cold: wait, wait_timeout: 10s, priority: normal}
        default_resource: cinema
        resources:
          cinema:
            path: /api/cinema
            fresh_for: 6d
            keep_for: 30d
            cold: wait
            response: envelope
            priority: high
            schedule: {every: 1h}
            refresh_ahead: 0.9
            jitter: 0.1
            params: {city: {pattern: "[a-z-]{1,40}", default: oslo}}
            max_variants: 10000
            retry: {max: 3, interval: 60s, backoff: 2, max_interval: 10m}
            source: {http: {url: "https://example.org/films?city={city}", headers: {}, max_bytes: 100MiB}}
          process: {fresh_for: 5m, source: {directory: {root: /srv}}}
          process.list: {fresh_for: 2m}
        """#

    private let settings: Settings

    init() throws {
        settings = try Configuration.parse(
            text: Self.example, file: "fresh.yaml", environment: [:])
    }

    @Test("the sections")
    func sections() throws {
        #expect(settings.redis.url == "redis://:password@127.0.0.1:6379/0")
        #expect(settings.redis.namespace == "freshet")
        #expect(settings.redis.partitions == 1)
        #expect(settings.redis.waitReplicas == 0)
        #expect(settings.api.listen == "127.0.0.1:8080")
        let key = try #require(settings.api.keys.first)
        #expect(key.name == "web")
        #expect(key.sha256.prefix(2) == [0x9f, 0x86])
        #expect(key.sha256.count == 32)
        #expect(key.scopes == [.read, .refresh])
        #expect(settings.api.rateLimit == RateLimit(requestsPerSecond: 50, burst: 100))
        #expect(!settings.api.openMetrics)
        #expect(settings.api.memoryLimit == 256 << 20)
        #expect(settings.worker.concurrency == 4)
        #expect(settings.worker.drainTimeout == .seconds(30))
        #expect(settings.refresh.checkInterval == .seconds(30))
        #expect(settings.refresh.maximumConcurrent == 3)
        #expect(settings.refresh.maximumQueue == 1_000_000)
        #expect(settings.refresh.batchSize == 5)
        #expect(settings.refresh.keepJobs == .seconds(86_400))
        #expect(settings.refresh.activeWindow == .seconds(3_600))
        #expect(settings.defaultResource?.text == "cinema")
    }

    @Test("a resource")
    func cinema() throws {
        let cinema = try settings.named("cinema")
        #expect(cinema.path == "/api/cinema")
        #expect(cinema.freshness.freshFor == .duration(.seconds(6 * 86_400)))
        #expect(cinema.freshness.keepFor == .seconds(30 * 86_400))
        #expect(cinema.freshness.refreshAhead == 0.9)
        #expect(cinema.freshness.jitter == 0.1)
        #expect(cinema.cold == .wait)
        #expect(cinema.waitTimeout == .seconds(10))
        #expect(cinema.response == .envelope)
        #expect(cinema.priority == .high)
        #expect(cinema.schedule == .every(.seconds(3_600)))
        #expect(
            cinema.parameters == [
                ParameterRule(name: "city", pattern: "[a-z-]{1,40}", defaultValue: "oslo")
            ])
        #expect(cinema.maximumVariants == 10_000)
        #expect(cinema.retry == RetryPolicy())
        #expect(cinema.timeout == .seconds(300))
        #expect(cinema.lease == .seconds(10))
        guard case .http(let http)? = cinema.source else {
            Issue.record("no http source")
            return
        }
        #expect(http == HTTPSource(url: "https://example.org/films?city={city}"))
    }

    @Test("a dotted name inherits")
    func inheritance() throws {
        let list = try settings.named("process.list")
        #expect(list.freshness.freshFor == .duration(.seconds(120)))
        #expect(list.source == .directory(DirectorySource(root: "/srv")))
        #expect(try settings.named("process").source == list.source)
    }

    @Test("nothing to warn about but one thing, and a summary without the password")
    func summary() throws {
        let file = try Configuration.check(
            Array(Self.example.utf8), file: "fresh.yaml", environment: [:])
        #expect(file.warningLines == [])
        #expect(
            file.summary
                == "fresh.yaml: 3 resources, 1 schedule, redis://:***@127.0.0.1:6379/0")
        #expect(file.settings == settings)
    }

    @Test("the defaults of each source are those of the contract")
    func sourceDefaults() throws {
        let settings = try Configuration.parse(
            text: """
                resources:
                  a: {source: {http: {url: "http://127.0.0.1/"}}}
                  b: {source: {command: {argv: [make, 5, true]}}}
                  c: {source: {directory: {root: .}}}
                  d: {source: {postgres: {url: "postgres:///x", query: select 1}}}
                  e: {source: {csv: {file: a.csv}}}
                """, file: "F", environment: [:])
        func source(_ name: String) throws -> SourceDefinition? { try settings.named(name).source }
        #expect(try source("a") == .http(HTTPSource(url: "http://127.0.0.1/")))
        #expect(try source("b") == .command(CommandSource(argv: ["make", "5", "true"])))
        #expect(try source("c") == .directory(DirectorySource(root: ".")))
        #expect(
            try source("d") == .postgres(PostgresSource(url: "postgres:///x", query: "select 1")))
        var csv = CSVSource()
        csv.file = "a.csv"
        #expect(try source("e") == .csv(csv))
    }

    @Test("every field of every source is read")
    func sourceFields() throws {
        let settings = try Configuration.parse(
            text: #"""
                resources:
                  a:
                    params: {x: {pattern: "[a-z]"}}
                    source:
                      http:
                        url: http://127.0.0.1/{x}
                        method: POST
                        headers: {Accept: text/html, X-N: 5}
                        body: '{"x": "{x}", "y": { "z": 1}}'
                        select: /data/0/a~1b
                        timeout: 2s
                        max_bytes: 1000
                        max_redirects: 0
                        allow_private: true
                  b:
                    source:
                      command:
                        argv: [./run, -v]
                        environment: {DEBUG: true, EMPTY: ""}
                        working_directory: /srv
                        content_type: text/plain; charset=utf-8
                        max_bytes: 2KiB
                  c:
                    source:
                      directory:
                        root: /srv
                        include: ["**/*.{tif,png}"]
                        exclude: [tmp/**]
                        collections: subdirectory
                        hash: sha256
                        watch: true
                        max_files: 10
                  d:
                    params: {x: {pattern: "[a-z]"}}
                    source:
                      postgres:
                        url: postgresql:///x
                        query: |
                          select * from t
                          where a = $1 and b = 'costs $2' -- $3
                        parameters: ["{x}"]
                        max_rows: 10
                  e: {source: {csv: {url: "http://127.0.0.1/a.csv", delimiter: "\t", types: text}}}
                """#, file: "F", environment: [:])
        func source(_ name: String) throws -> SourceDefinition? { try settings.named(name).source }
        var http = HTTPSource(url: "http://127.0.0.1/{x}")
        http.method = "POST"
        http.headers = ["Accept": "text/html", "X-N": "5"]
        http.body = #"{"x": "{x}", "y": { "z": 1}}"#
        http.select = "/data/0/a~1b"
        http.timeout = .seconds(2)
        // Never longer than the whole request.
        http.connectTimeout = .seconds(2)
        http.maximumBytes = 1_000
        http.maximumRedirects = 0
        http.allowsPrivate = true
        #expect(try source("a") == .http(http))
        var command = CommandSource(argv: ["./run", "-v"])
        command.environment = ["DEBUG": "true", "EMPTY": ""]
        command.workingDirectory = "/srv"
        command.contentType = "text/plain; charset=utf-8"
        command.maximumBytes = 2_048
        #expect(try source("b") == .command(command))
        var directory = DirectorySource(root: "/srv")
        directory.include = ["**/*.{tif,png}"]
        directory.exclude = ["tmp/**"]
        directory.collections = .subdirectory
        directory.hashesSHA256 = true
        directory.watch = true
        directory.maximumFiles = 10
        #expect(try source("c") == .directory(directory))
        var postgres = PostgresSource(
            url: "postgresql:///x",
            query: "select * from t\nwhere a = $1 and b = 'costs $2' -- $3\n")
        postgres.parameters = ["{x}"]
        postgres.maximumRows = 10
        #expect(try source("d") == .postgres(postgres))
        var csv = CSVSource()
        csv.url = "http://127.0.0.1/a.csv"
        csv.delimiter = "\t"
        csv.types = .text
        #expect(try source("e") == .csv(csv))
    }
}

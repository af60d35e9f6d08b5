import Configuration
import FoundationEssentials
import FreshetModel
import Testing

/// The files of `Config/`, which users copy.
@Suite("Files of Config")
struct ExampleFileTests {
    static let files = [
        "demo", "cinema", "resources", "resources.development", "resources.production", "catalog",
        "comics", "orders",
    ]
    static let hash = String(repeating: "0", count: 63)
    static let environment = [
        "SCRAPER_URL": "http://127.0.0.1:9000", "BACKEND_URL": "http://127.0.0.1:9000",
        "DATA_DIR": "/srv/images", "COMICS_DIR": "/srv/comics", "ORDERS_CSV": "/srv/orders.csv",
        "ORDERS_KEY_SHA256": hash + "1", "WEB_KEY_SHA256": hash + "2",
        "OPERATOR_KEY_SHA256": hash + "3", "REDIS_PASSWORD": "secret",
        "REDIS_SENTINELS": "h1:26379,h2:26379", "TLS_CERTIFICATE": "/etc/a.pem",
        "TLS_KEY": "/etc/b.pem",
    ]

    static let folder =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        + "/Config"

    static func load(_ name: String) throws -> ConfigurationFile {
        try Configuration.check(path: "\(folder)/\(name).yaml", environment: environment)
    }

    @Test("each is right, without a warning", arguments: files)
    func right(name: String) throws {
        let file = try Self.load(name)
        #expect(file.warningLines == [])
        #expect(!file.settings.resources.isEmpty)
        #expect(!file.summary.contains("secret"))
    }

    @Test("there is no other file than those tested")
    func complete() throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
            .filter { $0.hasSuffix(".yaml") }
        #expect(found.sorted() == Self.files.map { "\($0).yaml" }.sorted())
    }

    @Test("what must be set is told when it is not")
    func unset() {
        do {
            _ = try Configuration.load(path: "\(Self.folder)/orders.yaml", environment: [:])
            Issue.record("taken")
        } catch {
            #expect(
                error.errors.map(\.message) == [
                    "the environment variable `${ORDERS_KEY_SHA256}` is not set",
                    "the environment variable `${ORDERS_CSV}` is not set",
                ])
        }
    }

    @Test("the limits of age of the back office")
    func resources() throws {
        let minutes: [String: Int64] = [
            "process": 5, "rule": 10, "office": 30, "workflow": 15, "settings": 2,
            "process.list": 2,
        ]
        for name in ["resources", "resources.production"] {
            let settings = try Self.load(name).settings
            for (name, minutes) in minutes {
                let freshness = try settings.named(name).freshness
                #expect(freshness.freshFor == .duration(.seconds(minutes * 60)), "\(name)")
            }
            for name in ["notification", "rule.search"] {
                #expect(try settings.named(name).freshness.freshFor == .duration(.seconds(30)))
            }
            #expect(try settings.named("node").freshness.freshFor == .never)
            #expect(try settings.named("node").freshness.keepFor == nil)
            for name in ["system_health", "workflow_status"] {
                #expect(try settings.named(name).freshness.freshFor == .always)
            }
            #expect(settings.refresh.checkInterval == .seconds(30))
            #expect(settings.refresh.maximumConcurrent == 3)
            #expect(settings.refresh.batchSize == 5)
            let retry = try settings.named("process.list").retry
            #expect(
                (1...4).map { retry.delay(afterAttempt: $0, spread: 0.5) }
                    == [.seconds(60), .seconds(60), .seconds(60), nil])
            #expect(try settings.named("rule.search").source == settings.named("rule").source)
            let key = try settings.named("process").key(parameters: [
                .init(name: "page", value: "2"), .init(name: "office", value: "3"),
            ])
            #expect(key.text == "process?office=3&page=2")
            #expect(try settings.named("rule").key(parameters: []).text == "rule?q=")
        }
    }

    @Test("the variants have the same resources")
    func variants() throws {
        let names = try Self.load("resources").settings.resources.keys.sorted()
        for variant in ["resources.development", "resources.production"] {
            #expect(try Self.load(variant).settings.resources.keys.sorted() == names)
        }
    }

    @Test("the other systems")
    func others() throws {
        let cinema = try Self.load("cinema").settings
        #expect(try cinema.named("cinema").freshness.freshFor == .duration(.seconds(6 * 86_400)))
        #expect(try cinema.named("events").freshness.freshFor == .duration(.seconds(5 * 86_400)))
        #expect(try cinema.named("google_trend").freshness.freshFor == .duration(.seconds(86_400)))
        #expect(try cinema.named("google_trend").path == "/api/google_trend")
        let comics = try Self.load("comics").settings
        #expect(comics.defaultResource?.text == "enriched_file_cache")
        let orders = try Self.load("orders").settings
        #expect(orders.api.keys.map(\.name) == ["orders"])
        #expect(try orders.named("orders").cold == .unavailable)
        let catalog = try Self.load("catalog").settings
        guard case .directory(let directory)? = try catalog.named("catalog").source else {
            Issue.record("no directory")
            return
        }
        #expect(directory.root == "/srv/images")
        #expect(directory.collections == .subdirectory)
        #expect(directory.watch)
        #expect(directory.hashesSHA256)
    }

    @Test("the demo needs nothing set, and its program is there")
    func demo() throws {
        let file = try Configuration.check(path: "\(Self.folder)/demo.yaml", environment: [:])
        #expect(file.settings.defaultResource?.text == "catalog")
        #expect(FileManager.default.isExecutableFile(atPath: "\(Self.folder)/demo/report.sh"))
    }
}

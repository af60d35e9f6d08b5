import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// docs/examples/orders.md: an export of a database, for callers with a key, in three deployments.
@Suite("The example orders", .serialized, .timeLimit(.minutes(2)))
struct ExampleOrdersTests {
    static let rows = 400

    /// The export, and the key as `freshet key new` makes it, in a directory of its own.
    private struct Setting {
        let directory: String
        let secret: String
        let environment: [String: String]
        var csv: String { "\(directory)/orders.csv" }

        static func make() async throws -> Setting {
            let directory = try TemporaryDirectory.create()
            try await Example.shell(
                "docs/examples/make-orders.sh \(rows) > \(directory)/orders.csv")
            let made = try await Example.shell("freshet key new orders --scope read,refresh")
            let secret = made.first { $0.contains("orders.") }?.filter { $0 != " " } ?? ""
            let hash = made.joined().split(separator: "\"").map { String($0) }
                .first { $0.utf8.count == 64 }
            return Setting(
                directory: directory, secret: secret,
                environment: [
                    "ORDERS_CSV": "\(directory)/orders.csv",
                    "ORDERS_KEY_SHA256": hash ?? "", "KEY": secret,
                ])
        }
    }

    /// A Redis and the roles that a deployment starts by themselves.
    private static func withRoles(
        _ body: (Setting, PrivateRedis, inout [ChildProcess]) async throws -> Void
    ) async throws {
        let setting = try await Setting.make()
        defer { TemporaryDirectory.remove(setting.directory) }
        let redis = try await PrivateRedis.start(["--appendonly", "yes"], tcp: true)
        var started: [ChildProcess] = []
        do {
            try await body(setting, redis, &started)
        } catch {
            let log = started.flatMap { $0.lines(.error).suffix(20) }.joined(separator: "\n")
            for process in started { await process.stop() }
            await redis.stop()
            throw Unexpected("\(error)\n\(log)")
        }
        for process in started { await process.stop() }
        await redis.stop()
    }

    private static func start(
        _ role: String, _ setting: Setting, _ redis: PrivateRedis, _ arguments: [String] = []
    ) async throws -> ChildProcess {
        var environment = setting.environment
        environment["FRESHET_REDIS_URL"] = "redis://127.0.0.1:\(redis.port ?? 0)"
        return try await ChildProcess.start(
            RunningStack.command([role, "--config", Example.file("orders")] + arguments),
            environment: environment)
    }

    private static func startAPI(_ setting: Setting, _ redis: PrivateRedis) async throws
        -> (process: ChildProcess, client: HTTPClient)
    {
        let port = try LoopbackPort.free()
        let process = try await start("api", setting, redis, ["--listen", "127.0.0.1:\(port)"])
        var client = HTTPClient(port: port)
        let open = client
        try await eventually("the API serves", deadline: .seconds(20)) {
            guard process.exit == nil else { throw Unexpected("the API ended") }
            return (try? await open.get("/ready").status) == 200
        }
        client.headers["X-API-Key"] = setting.secret
        return (process, client)
    }

    @Test("service and worker: 503 while nothing is kept, then the export, hourly")
    func serviceAndWorker() async throws {
        try await Self.withRoles { setting, redis, started in
            let (api, client) = try await Self.startAPI(setting, redis)
            started.append(api)
            // Nobody waits for 81 MB to be made.
            let cold = try await client.get("/fetch-data")
            #expect(cold.status == 503)
            #expect(cold.headers["retry-after"] != nil)
            #expect(try JSON(cold)["code"].string == "not_ready")
            #expect(try await client.get("/api/orders").status == 503)

            started.append(try await Self.start("worker", setting, redis))
            started.append(try await Self.start("scheduler", setting, redis))
            let kept = try await eventualValue("the export is kept", deadline: .seconds(20)) {
                let answer = try await client.get("/fetch-data")
                return answer.status == 200 ? answer : nil
            }
            let page = try JSON(kept)
            #expect(page["status"].string == "success")
            #expect(page["count"].int == Self.rows)
            #expect(kept.headers["cache-control"]?.contains("max-age=3600") == true)
            // Numbers, text with leading zeros, empty fields and quotes, as CSV means them.
            let order = page["items"][1]
            #expect(order["order_id"].int == 2)
            #expect(order["postcode"].string == "0002" && order["phone"].string == "004790000002")
            #expect(order["express"].bool == false)
            #expect(order["discount"] == .null)
            #expect(order["total"].double == 199.22)
            #expect(order["customer"].string == "Customer 2, Inc.")
            #expect(order["note"].string?.contains("the \"dog\";") == true)

            try await Self.checkAccess(client)
            #expect(try await client.shortest("/health") < .milliseconds(10))
            #expect(try await client.shortest("/status") < .milliseconds(50))
            #expect(try await client.shortest("/fetch-data") < .milliseconds(100))
            let status = try await client.json("/status")["items"][0]
            #expect(status["key"].string == "orders")
            #expect(status["item_count"].int == Self.rows)
        }
    }

    /// `X-API-Key` on all but /health (and what probes and programs ask first).
    private static func checkAccess(_ client: HTTPClient) async throws {
        var stranger = client
        stranger.headers = [:]
        #expect(try await stranger.get("/health").status == 200)
        let closed = [
            "/fetch-data", "/api/orders", "/status", "/refresh/status", "/stats", "/metrics",
            "/v1/resources", "/v1/queue", "/v1/jobs", "/api/cache/stats", "/v1/events",
            "/fetch-data?stream=true", "/nowhere",
        ]
        for path in closed {
            let answer = try await stranger.get(path)
            #expect(answer.status == 401, "\(path)")
            #expect(answer.headers["www-authenticate"] != nil)
        }
        #expect(try await stranger.post("/refresh").status == 401)
        stranger.headers["X-API-Key"] = "orders.wrong"
        #expect(try await stranger.get("/fetch-data").status == 401)
        stranger.headers = ["Authorization": "Bearer \(client.headers["X-API-Key"] ?? "")"]
        #expect(try await stranger.get("/fetch-data").status == 200)
        // The key reads and refreshes, and no more.
        #expect(try await client.send("DELETE", "/v1/resources/orders").status == 403)
    }

    @Test("service and cron: the line of the crontab refreshes")
    func serviceAndCron() async throws {
        try await Self.withRoles { setting, redis, started in
            let (api, client) = try await Self.startAPI(setting, redis)
            started += [api, try await Self.start("worker", setting, redis)]
            // The crontab's line, but for the port.
            let cron =
                "curl -fsS -X POST -H \"X-API-Key: $KEY\" http://127.0.0.1:\(client.port)/refresh"
            let page = try String(
                contentsOf: URL(filePath: "\(Example.repository)/docs/examples/orders.md"),
                encoding: .utf8)
            #expect(page.contains(cron.replacing("\(client.port)", with: "8080")))

            let first = try await Example.shell(cron, environment: setting.environment)
            let job = try JSON(parsing: first.joined().utf8)
            #expect(job["status"].string == "started")
            try await eventually("the export is kept", deadline: .seconds(20)) {
                try await client.get("/fetch-data").status == 200
            }
            try await Example.shell("docs/examples/make-orders.sh 500 > '\(setting.csv)'")
            #expect(try await client.json("/fetch-data")["count"].int == Self.rows)
            try await Example.shell(cron, environment: setting.environment)
            try await eventually("the new export", deadline: .seconds(20)) {
                try await client.json("/fetch-data")["count"].int == 500
            }
        }
    }

    @Test("one service that refreshes on demand, and tells a stream about it")
    func oneService() async throws {
        let setting = try await Setting.make()
        defer { TemporaryDirectory.remove(setting.directory) }
        try await Example.run(
            "orders", environment: setting.environment, in: setting.directory
        ) { stack in
            var client = stack.client
            client.headers["X-API-Key"] = setting.secret
            try await eventually("the export is kept", deadline: .seconds(20)) {
                try await client.get("/fetch-data").status == 200
            }
            try await Example.shell("docs/examples/make-orders.sh 500 > '\(setting.csv)'")
            let old = try await client.json("/fetch-data?refresh=true")
            #expect(old["count"].int == Self.rows)
            #expect(old["_info"].string == "Background refresh triggered")
            #expect(old["from_cache"].bool == true)
            #expect(old["refreshing_in_background"].bool == true)
            try await eventually("the new export", deadline: .seconds(20)) {
                try await client.json("/fetch-data")["count"].int == 500
            }
            let idle = try await client.json("/fetch-data")
            #expect(!idle.names.contains("_info"))

            try await Example.shell("docs/examples/make-orders.sh 300 > '\(setting.csv)'")
            let events = try await client.events("/fetch-data?stream=true&refresh=true")
            #expect(events.first?.type == "cached")
            #expect(events.first?.data["type"].string == "cached")
            #expect(events.first?.data["payload"]["count"].int == 500)
            #expect(events.dropLast().last?.type == "updated")
            #expect(events.dropLast().last?.data["payload"]["count"].int == 300)
            #expect(events.last?.type == "done")
            let still = try await client.events("/fetch-data?stream=true")
            #expect(still.map(\.type) == ["cached", "done"])

            let asked = try await client.post("/refresh")
            #expect(asked.status == 202)
            let job = try JSON(asked)
            #expect(asked.headers["location"] == "/v1/jobs/\(job["job_id"].string ?? "")")
        }
    }
}

import FoundationEssentials
import TestSupport
import Testing

/// What the five examples have in common and a stack must bear: sources that end in every way,
/// parameters, inheritance, and schedules that nobody was there for.
@Suite("Sources in a stack", .serialized, .timeLimit(.minutes(2)))
struct ExampleSourcesTests {
    private static func command(_ script: String) -> String {
        "{command: {argv: [/bin/sh, -c, '\(script)']}}"
    }

    private static func configuration(_ upstream: Upstream) -> String {
        """
        worker: {concurrency: 4, drain_timeout: 1s}
        defaults: {wait_timeout: 10s, retry: {max: 2, interval: 50ms}}
        resources:
          prices:
            path: /api/prices/{city}
            params: {city: {pattern: "[a-z]{1,20}"}, page: {pattern: "[0-9]{1,3}", default: 1}}
            max_variants: 3
            source: {http: {url: "\(upstream.url)/prices?city={city}&page={page}"}}
          prices.short: {fresh_for: 100ms, keep_for: 1s}
          prices.short.name:
            path: /api/name/{city}
            source: {http: {url: "\(upstream.url)/prices?city={city}&page={page}", select: /0/name}}
          large: {source: {http: {url: "\(upstream.url)/machine", max_bytes: 16}}}
          gone: {source: {http: {url: "\(upstream.url)/nothing"}}}
          facts:
            params: {a-b: {default: "x y"}}
            source: \(command(#"echo "[\"$FRESHET_KEY\",\"$FRESHET_PARAM_A_B\",$FRESHET_ATTEMPT,$FRESHET_SCOPE]""#))
          final: {source: \(command("echo no way >&2; exit 65"))}
          failing: {source: \(command("echo again >&2; exit 1"))}
          late: {timeout: 200ms, source: \(command("sleep 30"))}
          words: {source: \(command("echo these are no JSON"))}
          same:
            source: \(command(#"[ -z "$FRESHET_PREVIOUS" ] || echo "{\"not_modified\":true}" >&3; echo "[1]""#))
          long: {source: \(command("sleep 30"))}
        """
    }

    private static func withStack(
        _ body: (RunningStack, Upstream) async throws -> Void
    ) async throws {
        let upstream = try await Upstream.start(pace: 0.01)
        let stack = try await RunningStack.start(configuration(upstream))
        do {
            try await body(stack, upstream)
        } catch {
            let log = stack.process.lines(.error).suffix(40).joined(separator: "\n")
            await stack.process.stop(grace: .seconds(20))
            await upstream.stop()
            throw Unexpected("\(error)\n\(log)")
        }
        try await stack.stop()
        await upstream.stop()
    }

    @Test("parameters are checked and sorted, keys capped, dotted names inherit")
    func keys() async throws {
        try await Self.withStack { stack, upstream in
            let page = try await stack.client.json("/api/prices/oslo?page=2")
            #expect(page["items"][0]["city"].string == "oslo")
            let same = try await stack.client.json("/v1/resources/prices?page=2&city=oslo")
            #expect(same["cache_date"] == page["cache_date"])
            for bad in ["/api/prices/OSLO", "/api/prices/oslo?page=1000", "/v1/resources/prices"] {
                #expect(try await stack.client.get(bad).status == 400, "\(bad)")
            }
            for city in ["a", "b", "c", "d"] {
                _ = try await stack.client.json("/api/prices/\(city)")
            }
            try await eventually("the least recently read are gone") {
                let keys = try await stack.client.json("/status")["items"].items ?? []
                return keys.count == 3
            }
            // Two levels up: the parameters; one level up: the times.
            let name = try await stack.client.get("/api/name/oslo")
            #expect(try JSON(name)["items"].string == "bread")
            #expect(name.headers["cache-control"]?.contains("max-age=0") == true)
            try await eventually("past keep_for it is gone") {
                try await stack.client.json("/v1/resources/prices.short.name/status?city=oslo")[
                    "size_bytes"] == .null
            }
        }
    }

    @Test("a 304 and not_modified renew freshness without a new version")
    func renewals() async throws {
        try await Self.withStack { stack, upstream in
            for path in ["/v1/resources/prices", "/v1/resources/same"] {
                let query = path.hasSuffix("prices") ? "?city=oslo" : ""
                let first = try await stack.client.json(path + query)
                #expect(try await stack.client.post("\(path)/refresh\(query)").status == 202)
                let status = try await eventualValue("renewed") {
                    let status = try await stack.client.json("\(path)/status\(query)")
                    return status["cache_date"] != first["cache_date"] ? status : nil
                }
                // The prices change at the turn of a minute.
                if path.hasSuffix("same") { #expect(status["version"].int == 1) }
                #expect(status["cache_valid"].bool == true)
            }
        }
    }

    @Test("each way to fail ends as it should: at once for good, or after the retries")
    func failures() async throws {
        try await Self.withStack { stack, upstream in
            let ends = [
                ("final", 1, "no way"), ("large", 1, "max_bytes"), ("gone", 1, "HTTP 404"),
                ("failing", 3, "again"), ("late", 3, "timed out"), ("words", 3, "not JSON"),
            ]
            for (name, _, error) in ends {
                let answer = try await stack.client.get("/v1/resources/\(name)")
                #expect(answer.status == 502, "\(name)")
                #expect(try JSON(answer)["code"].string == "source_failed")
                #expect(try JSON(answer)["detail"].string?.contains(error) == true, "\(name)")
            }
            for (name, attempts, error) in ends {
                let status = try await eventualValue("\(name) is dead") {
                    let status = try await stack.client.json("/v1/resources/\(name)/status")
                    return status["state"].string == "failed" ? status : nil
                }
                #expect(status["consecutive_failures"].int == attempts, "\(name)")
                #expect(status["error"].string?.contains(error) == true)
            }
            #expect(try await stack.client.json("/v1/dead")["items"].items?.count == ends.count)
            let facts = try await stack.client.json("/v1/resources/facts")["items"]
            #expect(
                facts == .list([.text("facts?a-b=x%20y"), .text("x y"), .number(1), .list([])]))
        }
    }

    @Test("a cancelled job ends its program")
    func cancelled() async throws {
        try await Self.withStack { stack, upstream in
            let job = try JSON(await stack.client.post("/v1/resources/long/refresh"))
            let path = "/v1/jobs/\(job["job_id"].string ?? "")"
            func programs(below pid: Int32) -> Int {
                Processes.children(of: pid).reduce(0) { count, child in
                    let isOne = Processes.commandLine(of: child).joined(separator: " ")
                        .hasSuffix("sleep 30")
                    return count + (isOne ? 1 : 0) + programs(below: child)
                }
            }
            func programs() -> Int { programs(below: stack.process.pid) }
            try await eventually("it runs") {
                try await stack.client.json(path)["state"].string == "running" && programs() > 0
            }
            #expect(try await stack.client.send("DELETE", path).status == 202)
            try await eventually("its program has ended") { programs() == 0 }
            #expect(try await stack.client.json(path)["state"].string == "cancelled")
            #expect(try await stack.client.send("DELETE", path).status == 409)
        }
    }

    @Test("cron slots that nobody was there for are made up once, by one of several schedulers")
    func missedSlots() async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let redis = try await PrivateRedis.start(["--appendonly", "yes"])
        let file = "\(directory)/freshet.yaml"
        try RunningStack.write(
            """
            redis: {url: "\(redis.url)"}
            resources:
              yearly:
                schedule: {cron: "0 0 1 1 *"}
                source: {command: {argv: [/bin/echo, "[]"]}}
            """, to: file)
        func start(_ role: String) async throws -> ChildProcess {
            try await ChildProcess.start(RunningStack.command([role, "--config", file]))
        }
        let first = try await start("scheduler")
        try await eventually("the schedule is known") {
            try await redis.cli("HGET", "{freshet:0}:schedules", "yearly") != ""
        }
        await first.stop()
        // Three years ago: three slots were missed.
        let then = Int64(Date.now.timeIntervalSince1970 * 1000) - 3 * 365 * 86_400_000
        try await redis.cli("HSET", "{freshet:0}:schedules", "yearly", String(then))
        let processes = [
            try await start("worker"), try await start("scheduler"), try await start("scheduler"),
        ]
        try await eventually("it runs") {
            processes[0].lines(.error).contains { $0.contains("job.succeeded") }
        }
        // Another look, a second later, finds nothing more to do.
        let before = try await redis.cli("HGET", "{freshet:0}:schedules", "yearly")
        await processes[1].stop()
        try await processes[2].waitForLine(.error, containing: "scheduler.leads")
        await processes[2].stop()
        await processes[0].stop()
        let lines = processes.flatMap { $0.lines(.error) }
        #expect(lines.count { $0.contains("schedule.fired") } == 1)
        #expect(lines.count { $0.contains("job.succeeded") } == 1)
        #expect(try await redis.cli("HGET", "{freshet:0}:schedules", "yearly") == before)
        await redis.stop()
    }
}

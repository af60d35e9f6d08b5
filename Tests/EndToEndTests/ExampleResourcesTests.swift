import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// docs/examples/resources.md: a back office whose resources each have a limit of age of their own.
@Suite("The example resources", .serialized, .timeLimit(.minutes(3)))
struct ExampleResourcesTests {
    private static let names = [
        "node", "notification", "office", "process", "process.list", "rule", "rule.search",
        "settings", "system_health", "workflow", "workflow_status",
    ]

    private static func path(_ name: String) -> String {
        "/api/\(name.replacing(".", with: "/"))"
    }

    @Test("each has its limit of age; dotted names inherit source and parameters")
    func limits() async throws {
        let office = try await Upstream.start(pace: 0.05)
        try await Example.run("resources", environment: ["BACKEND_URL": office.url]) { stack in
            let limits = [
                "process": 300, "rule": 600, "office": 1800, "workflow": 900, "notification": 30,
                "settings": 120, "process.list": 120, "rule.search": 30,
            ]
            for (name, seconds) in limits {
                let answer = try await stack.client.get(Self.path(name))
                #expect(answer.status == 200, "\(name)")
                let control = answer.headers["cache-control"] ?? ""
                #expect(control.hasPrefix("max-age=\(seconds),"), "\(name): \(control)")
            }
            // Never stale, never gone; always stale, from the first answer on.
            let node = try await stack.client.get("/api/node")
            #expect(try JSON(node)["cache_valid"].bool == true)
            let kept = try await stack.client.get("/api/node")
            #expect(kept.headers["cache-status"] == "freshet; hit")
            for name in ["system_health", "workflow_status"] {
                let first = try await stack.client.json(Self.path(name))
                #expect(first["cache_valid"].bool == false)
                let second = try await stack.client.json(Self.path(name))
                #expect(second["refreshing_in_background"].bool == true)
            }
            // The overrides ask the source of the name they inherit from, with its parameters.
            let list = try await stack.client.json("/api/process/list?page=7")
            #expect(list["items"][0]["asked"].string == "office=1&page=7")
            #expect(try await office.calls("/process?office=1&page=7") == 1)
            let search = try await stack.client.json("/api/rule/search?q=tax%26co")
            #expect(search["items"][0]["asked"].string == "q=tax%26co")
        }
        await office.stop()
    }

    @Test("parametrised reads are keys of their own; statistics count them")
    func parameters() async throws {
        let office = try await Upstream.start(pace: 0.05)
        try await Example.run("resources", environment: ["BACKEND_URL": office.url]) { stack in
            let page = try await stack.client.json("/api/process?office=3&page=2")
            #expect(page["items"][0]["asked"].string == "office=3&page=2")
            _ = try await stack.client.json("/api/process?page=2&office=3")
            #expect(try await office.calls("/process?office=3&page=2") == 1)
            _ = try await stack.client.json("/api/process")
            let bad = ["office=x", "page=2&page=3", "offce=3", "refresh=yes"]
            for query in bad {
                let answer = try await stack.client.get("/api/process?\(query)")
                #expect(answer.status == 400, "\(query)")
            }
            let keys = try await stack.client.json("/status")["items"].items ?? []
            #expect(
                keys.compactMap { $0["key"].string }.sorted()
                    == ["process?office=1&page=1", "process?office=3&page=2"])
            let stats = try await stack.client.json("/stats")
            #expect(stats["total_refreshes"].int == 2)
            #expect(stats["resources"]["process"]["successful_refreshes"].int == 2)
            #expect(stats["resources"]["process"]["failed_refreshes"].int == 0)
            #expect((stats["average_refresh_seconds"].double ?? 0) > 0)
            #expect(stats["last_refresh_at"].string != nil)
            try await eventually("the hit is counted") {
                try await stack.client.json("/stats")["cache_hits"].int == 1
            }
        }
        await office.stop()
    }

    @Test("a failed refresh is tried again after 60 s, up to 3 times")
    func retryPolicy() async throws {
        let environment = ["BACKEND_URL": "http://127.0.0.1:\(try LoopbackPort.free())"]
        try await Example.run("resources", environment: environment) { stack in
            let asked = try JSON(await stack.client.post("/v1/resources/office/refresh"))
            let job = try await eventualValue("the first attempt has failed") {
                let job = try await stack.client.json("/v1/jobs/\(asked["job_id"].string ?? "")")
                return job["state"].string == "retrying" ? job : nil
            }
            #expect(job["attempt"].int == 1 && job["max_attempts"].int == 4)
            let (started, again) = (Self.date(job["started_at"]), Self.date(job["run_at"]))
            if let started, let again {
                #expect((53...67).contains(again.timeIntervalSince(started)))
            }
            let status = try await stack.client.json("/v1/resources/office/status")
            #expect(status["next_retry_at"] == job["run_at"])
            #expect(status["source_online"].bool == false)
        }
        // The same in a hurry: four attempts, then dead, and nothing is blocked by it.
        try await Example.run(
            "resources", environment: environment,
            changes: ["retry_interval: 60s": "retry_interval: 50ms"]
        ) { stack in
            _ = try await stack.client.post("/v1/resources/office/refresh")
            try await eventually("the job is dead") {
                try await stack.client.json("/v1/resources/office/status")["state"].string
                    == "failed"
            }
            let log = stack.process.lines(.error)
            #expect(log.count { $0.contains("job.failed ") } == 3)
            #expect(log.count { $0.contains("job.dead ") } == 1)
            let stats = try await stack.client.json("/stats")
            #expect(stats["resources"]["office"]["failed_refreshes"].int == 4)
        }
    }

    private static func date(_ value: JSON) -> Date? {
        value.string.flatMap {
            try? Date($0, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
    }

    @Test(
        "the monitor refreshes what is read, 5 a check and 3 at once, says so, and leaves the rest")
    func monitor() async throws {
        let office = try await Upstream.start(pace: 0.3)
        try await Example.run(
            "resources.development",
            environment: ["BACKEND_URL": office.url],
            changes: [
                "check_interval: 2s": "check_interval: 500ms", "fresh_for: 20s": "fresh_for: 1s",
                "active_window: 10m": "active_window: 3s",
            ]
        ) { stack in
            // Asked at once, they go stale at once: more than one batch.
            try await withThrowingTaskGroup { group in
                for page in 1...12 {
                    group.addTask { _ = try await stack.client.json("/api/process?page=\(page)") }
                }
                try await group.waitForAll()
            }
            _ = try await stack.client.json("/api/node")
            // Nobody reads them again; the monitor refreshes all twelve, and `node` never.
            try await eventually("all are refreshed", deadline: .seconds(10)) {
                let counts = try await office.counts()["targets"]
                return (1...12).allSatisfy {
                    (counts["/process?office=1&page=\($0)"].int ?? 0) >= 2
                }
            }
            #expect(try await office.calls("/node") == 1)
            #expect(try await office.counts()["most_at_once"].int == 3)

            let checks = stack.process.lines(.error).filter { $0.contains("monitor.checked ") }
            #expect(!checks.isEmpty)
            for check in checks {
                #expect(check.contains(" looked_at="))
                #expect(check.contains(" stale="))
                #expect(
                    (Self.field("refreshed", of: check).flatMap { Int($0) } ?? 9) <= 5, "\(check)")
            }
            #expect(checks.contains { Self.field("refreshed", of: $0) == "5" })
            let stale = try #require(
                stack.process.lines(.error).first { line in
                    line.contains("monitor.stale ") && line.contains("refreshed=true")
                })
            #expect(Self.field("key", of: stale)?.contains("process?office=1") == true)
            #expect((Self.field("age_seconds", of: stale).flatMap { Double($0) } ?? 0) >= 1)
            #expect(Self.field("limit_seconds", of: stale).flatMap { Double($0) } == 1)

            // Once the window has passed without a read they are left alone.
            func refreshes() -> Int {
                stack.process.lines(.error).count { $0.contains("job.succeeded ") }
            }
            func isQuiet(_ checks: some Sequence<String>) -> Bool {
                checks.allSatisfy { Self.field("refreshed", of: $0) == "0" }
            }
            try await eventually("the monitor has nothing left to do", deadline: .seconds(15)) {
                let last = stack.process.lines(.error).filter { $0.contains("monitor.checked ") }
                    .suffix(3)
                return last.count == 3 && isQuiet(last)
            }
            let status = try await stack.client.json("/v1/resources/process/status?page=1")
            #expect(status["cache_valid"].bool == false)
            #expect(status["is_running"].bool == false)
            let before = refreshes()
            let looks = stack.process.lines(.error).count { $0.contains("monitor.checked ") }
            try await eventually("two more checks") {
                stack.process.lines(.error).count { $0.contains("monitor.checked ") } >= looks + 2
            }
            #expect(refreshes() == before)
        }
        await office.stop()
    }

    /// `name=value` of a log line.
    private static func field(_ name: String, of line: String) -> String? {
        line.split(separator: " ").first { $0.hasPrefix("\(name)=") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    @Test("a source that cannot be reached pauses its refreshes until a probe finds it again")
    func breaker() async throws {
        let port = try LoopbackPort.free()
        var office = try await Upstream.start(port: port, pace: 0.05)
        try await Example.run(
            "resources.development", environment: ["BACKEND_URL": office.url],
            changes: [
                "retry_interval: 2s": "retry_interval: 100ms", "fresh_for: 20s": "fresh_for: 100ms",
                "max_retries: 3": "max_retries: 100",
            ]
        ) { stack in
            func lines(_ event: String) -> Int {
                stack.process.lines(.error).count { $0.contains(" \(event) ") }
            }
            for page in 1...6 { _ = try await stack.client.json("/api/process?page=\(page)") }
            await office.stop()
            for page in 1...6 {
                _ = try await stack.client.post("/v1/resources/process/refresh?page=\(page)")
            }
            try await stack.process.waitForLine(.error, containing: "breaker.opened")
            let failures = lines("job.failed")
            // Kept data are served, and say that the source is away.
            let kept = try await stack.client.json("/api/process?page=1")
            #expect(kept["items"][0]["asked"].string == "office=1&page=1")
            #expect(kept["cache_valid"].bool == false)
            // Also where nobody has tried since: those jobs are given back until the probe.
            try await eventually("all say so") {
                let items = try await stack.client.json("/status")["items"].items ?? []
                return items.count == 6 && items.allSatisfy { $0["source_online"].bool == false }
            }

            office = try await Upstream.start(port: port, pace: 0.05)
            try await stack.process.waitForLine(
                .error, containing: "breaker.closed", deadline: .seconds(15))
            // Retries of 100 ms would have been dozens in these seconds.
            #expect(lines("job.failed") <= failures + 3)
            try await eventually("all are refreshed and online", deadline: .seconds(10)) {
                let items = try await stack.client.json("/status")["items"].items ?? []
                return items.count == 6
                    && items.allSatisfy {
                        $0["source_online"].bool == true && $0["version"].int ?? 0 >= 2
                    }
            }
        }
        await office.stop()
    }

    @Test("of several schedulers one leads, and the monitor works once")
    func oneLeader() async throws {
        let office = try await Upstream.start(pace: 0.05)
        let environment = ["BACKEND_URL": office.url, "FRESHET_LOG_LEVEL": "debug"]
        try await Example.run("resources.development", environment: environment) { stack in
            var others: [ChildProcess] = []
            for _ in 0..<2 {
                let redis = "unix://\(stack.directory)/data/redis/redis.sock"
                let command = ["scheduler", "--config", Example.file("resources.development")]
                others.append(
                    try await ChildProcess.start(
                        RunningStack.command(command + ["--redis", redis]),
                        environment: environment))
            }
            for other in others {
                try await other.waitForLine(.error, containing: "scheduler.started")
            }
            try await stack.process.waitForLine(.error, containing: "monitor.checked")
            #expect(others.allSatisfy { $0.lines(.error).count { $0.contains("monitor.") } == 0 })
            // The leader ends, and another takes over.
            let leader = try #require(stack.members("scheduler").first)
            kill(leader, SIGTERM)
            try await eventually("another leads", deadline: .seconds(15)) {
                others.contains { $0.lines(.error).contains { $0.contains("scheduler.leads") } }
                    || stack.process.lines(.error).count { $0.contains("scheduler.leads") } == 2
            }
            for other in others { await other.stop() }
        }
        await office.stop()
    }
}

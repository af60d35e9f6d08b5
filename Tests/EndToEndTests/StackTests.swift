import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

/// The whole thing over real processes and sockets, as a user would run it.
@Suite("A stack", .serialized, .timeLimit(.minutes(4)))
struct StackTests {
    /// A source that appends a line to `runs` for each of its runs, and takes a while.
    private static func configuration(_ directory: String, seconds: Double) -> String {
        """
        refresh: {check_interval: 1s}
        defaults: {lease: 2s, wait_timeout: 30s}
        resources:
          slow:
            fresh_for: never
            source:
              command:
                argv:
                  - /bin/sh
                  - -c
                  - |
                    echo run >> \(directory)/runs
                    echo '{"done":1,"total":2,"message":"half"}' >&3
                    sleep \(seconds)
                    echo '[1,2,3]'
          stale:
            fresh_for: always
            source: {command: {argv: [/bin/sh, -c, "date +%s%N"]}}
        """
    }

    private static func runs(_ directory: String) -> Int {
        let data = FileManager.default.contents(atPath: directory + "/runs") ?? Data()
        return data.count { $0 == UInt8(ascii: "\n") }
    }

    private static func withStack(
        seconds: Double = 0.3, _ arguments: [String] = [],
        _ body: (RunningStack) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.create()
        try RunningStack.write(
            configuration(directory, seconds: seconds), to: directory + "/freshet.yaml")
        let stack = try await RunningStack.start(in: directory, arguments: arguments)
        do {
            try await body(stack)
        } catch {
            let log = stack.process.lines(.error).suffix(60).joined(separator: "\n")
            await stack.process.stop(grace: .seconds(20))
            throw Unexpected("\(error)\n\(log)")
        }
        try await stack.stop()
        try await eventually("no process is left") { Processes.naming(directory).isEmpty }
    }

    @Test("serves a cold read, then a stale one at once while it refreshes")
    func reads() async throws {
        try await Self.withStack { stack in
            let cold = try await stack.client.get("/v1/resources/slow")
            #expect(cold.status == 200)
            #expect(cold.text.contains("\"items\":[1,2,3]"))
            #expect(cold.text.contains("\"from_cache\":false"))
            let warm = try await stack.client.get("/v1/resources/slow")
            #expect(warm.text.contains("\"from_cache\":true"))
            #expect(Self.runs(stack.directory) == 1)

            _ = try await stack.client.get("/v1/resources/stale")
            let stale = try await stack.client.get("/v1/resources/stale")
            #expect(stale.text.contains("\"cache_valid\":false"))
            try await eventually("a stale read brings a new version", deadline: .seconds(10)) {
                let version = try await stack.client.get("/v1/resources/stale")
                    .headers["x-freshet-version"]
                return Int(version ?? "") ?? 0 > 2
            }
        }
    }

    @Test("streams a refresh from the kept payload to the new one")
    func stream() async throws {
        try await Self.withStack { stack in
            _ = try await stack.client.get("/v1/resources/slow")
            let events = try stack.client.stream("/v1/resources/slow?stream=true&refresh=true")
            var types: [String] = []
            for await line in events.lines where line.hasPrefix("event:") {
                types.append(String(line.dropFirst(6)).filter { $0 != " " })
            }
            #expect(types.first == "cached")
            #expect(types.contains("running") && types.contains("progress"))
            #expect(types.suffix(2) == ["updated", "done"])
        }
    }

    @Test("the operators' commands find the stack by its directory")
    func operators() async throws {
        try await Self.withStack { stack in
            let refresh = try await stack.freshet("refresh", "slow", "--wait")
            #expect(refresh.exit == .code(0))
            #expect(refresh.output.last?.hasPrefix("slow: version 1") == true)
            let payload = try await stack.freshet("get", "slow")
            #expect(payload.output == ["[1,2,3]"])
            let status = try await stack.freshet("status")
            #expect(status.output.contains { $0.hasPrefix("slow") })
            let missing = try await stack.freshet("refresh", "nothing")
            #expect(missing.exit == .code(1))
        }
    }

    @Test("a worker killed in the middle of a job has its job run again within a lease and 2 s")
    func killedWorker() async throws {
        try await Self.withStack(seconds: 4, ["--workers", "1"]) { stack in
            let asked = try await stack.client.post("/v1/resources/slow/refresh")
            #expect(asked.status == 202)
            try await eventually("the source runs", deadline: .seconds(10)) {
                Self.runs(stack.directory) == 1
            }
            let worker = try #require(stack.members("worker").first)
            let killed = ContinuousClock.now
            kill(worker, SIGKILL)
            try await eventually("it runs again", deadline: .seconds(4)) {
                Self.runs(stack.directory) == 2
            }
            #expect(.now - killed < .seconds(4))
            let payload = try await stack.client.get("/v1/resources/slow")
            #expect(payload.status == 200)
            #expect(Self.runs(stack.directory) == 2)
        }
    }

    @Test("200 cold readers of three API processes and two workers make one source call")
    func coldReaders() async throws {
        try await Self.withStack(seconds: 1, ["--api", "3", "--workers", "2"]) { stack in
            let client = stack.client
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await client.get("/v1/resources/slow", deadline: .seconds(30)).status
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 200])
            #expect(Self.runs(stack.directory) == 1)
        }
    }

    @Test(
        "while its Redis is killed and started again, what is held is served, and all is well after"
    )
    func killedRedis() async throws {
        try await Self.withStack { stack in
            _ = try await stack.client.get("/v1/resources/slow")
            let redis = try #require(
                Processes.children(of: stack.process.pid).first {
                    Processes.commandLine(of: $0).first?.contains("redis-server") == true
                })
            kill(redis, SIGKILL)
            let held = try await stack.client.get("/v1/resources/slow", deadline: .seconds(2))
            #expect(held.status == 200)
            try await eventually("all is well again", deadline: .seconds(6)) {
                try await stack.client.get("/ready").status == 200
            }
            let asked = try await stack.client.post("/v1/resources/slow/refresh")
            #expect(asked.status == 202)
            try await eventually("its job runs", deadline: .seconds(5)) {
                Self.runs(stack.directory) == 2
            }
        }
    }

    @Test("payloads and queued jobs outlive the stack, also one that is killed")
    func survives() async throws {
        let directory = try TemporaryDirectory.create()
        try RunningStack.write(
            Self.configuration(directory, seconds: 0), to: directory + "/freshet.yaml")
        let first = try await RunningStack.start(in: directory, arguments: ["--workers", "1"])
        _ = try await first.client.get("/v1/resources/slow")
        _ = try await first.freshet("queue", "--pause")
        #expect(try await first.client.post("/v1/resources/stale/refresh").status == 202)
        first.process.send(signal: SIGKILL)
        try await eventually("its children end with it", deadline: .seconds(15)) {
            Processes.naming(directory).isEmpty
        }

        let second = try await RunningStack.start(in: directory)
        let kept = try await second.client.get("/v1/resources/slow")
        #expect(kept.text.contains("\"from_cache\":true"))
        let queue = try await second.client.get("/v1/queue")
        #expect(queue.text.contains("\"waiting\":1"))
        #expect(Self.runs(directory) == 1)
        try await second.stop()
    }
}

import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// docs/examples/catalog.md: a thousand images in ten collections.
@Suite("The example catalog", .serialized, .timeLimit(.minutes(3)))
struct ExampleCatalogTests {
    /// Ten collections of a hundred images, sparse ones; files that are no images beside them.
    private static func makeImages(in directory: String, kilobytes: Int) async throws -> String {
        let root = "\(directory)/images"
        try await Example.shell(
            """
            for c in 0 1 2 3 4 5 6 7 8 9; do
                mkdir -p \(root)/collection-$c/deep
                for i in {1..99}; do : > \(root)/collection-$c/$i.tif; done
                : > \(root)/collection-$c/deep/100.tif
            done
            find \(root) -name '*.tif' -exec truncate -s \(kilobytes)K {} +
            mkdir \(root)/empty; echo > \(root)/empty/readme.txt; echo > \(root)/loose.tif
            """)
        return root
    }

    private static func withImages(
        kilobytes: Int = 1, changes: KeyValuePairs<String, String> = [:], prefix: [String] = [],
        _ body: (RunningStack, _ root: String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let root = try await makeImages(in: directory, kilobytes: kilobytes)
        if !prefix.isEmpty { try await Example.shell("chmod -R a+rwX \(directory)") }
        try await Example.run(
            "catalog", environment: ["DATA_DIR": root], changes: changes, prefix: prefix,
            in: directory
        ) { try await body($0, root) }
    }

    private static func scanned(_ stack: RunningStack, version: Int = 1) async throws -> JSON {
        try await eventualValue("version \(version) is there", deadline: .seconds(20)) {
            let status = try await stack.client.json("/refresh/status")
            let isDone = status["is_running"].bool == false
            return isDone && status["version"].int ?? 0 >= version ? status : nil
        }
    }

    /// Bytes that the workers of a stack have read.
    private static func bytesRead(_ stack: RunningStack) throws -> Int {
        try stack.members("worker").reduce(0) { sum, pid in
            let text = try String(contentsOf: URL(filePath: "/proc/\(pid)/io"), encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }
            return sum + (line.flatMap { Int($0.dropFirst("rchar: ".count)) } ?? 0)
        }
    }

    @Test(
        "POST /refresh returns at once; the scan behind it tells progress; a second POST joins it")
    func refresh() async throws {
        // Some seconds of reading, so that the scan is under way while it is looked at.
        try await Self.withImages(kilobytes: 768) { stack, root in
            // Nothing is kept, so the schedule has begun the first scan already.
            let running = try await eventualValue("progress", deadline: .seconds(20)) {
                let status = try await stack.client.json("/refresh/status")
                return status["progress"]["done"].double ?? 0 > 0 ? status : nil
            }
            #expect(running["is_running"].bool == true)
            #expect(running["last_refresh"] == .null && running["last_duration_seconds"] == .null)
            #expect(running["collections_count"] == .null)
            let progress = running["progress"]
            #expect(progress["total"].double == 1000)
            #expect((0.1..<100).contains(progress["percent"].double ?? 0))
            #expect(progress["eta_seconds"].double ?? -1 >= 0)

            let clock = ContinuousClock()
            var best = Duration.seconds(60)
            var second = JSON.null
            for _ in 0..<3 {
                let took = try await clock.measure {
                    let answer = try await stack.client.post("/refresh")
                    #expect(answer.status == 202)
                    second = try JSON(answer)
                }
                best = min(best, took)
                // While it runs there is no second one.
                #expect(second["status"].string == "running")
                #expect(second["is_running"].bool == true)
                #expect(second["job_id"] == running["job_id"])
                #expect(second["running_seconds"].double ?? 0 > 0)
            }
            #expect(best < .milliseconds(100))
            #expect(second["message"].string?.isEmpty == false)

            // With force one more run follows it, however many ask.
            let force = #"{"force": true}"#
            let rerun = try JSON(await stack.client.post("/refresh", body: force))
            #expect(rerun["status"].string == "queued" && rerun["rerun"].bool == true)
            #expect(rerun["position"] == .null)
            #expect(rerun["job_id"] != running["job_id"])
            let same = try JSON(await stack.client.post("/refresh", body: force))
            #expect(same["job_id"] == rerun["job_id"])

            let done = try await Self.scanned(stack, version: 2)
            #expect(done["last_refresh"].string != nil)
            #expect(done["last_duration_seconds"].double ?? 0 > 0)
            #expect(done["collections_count"].int == 10)
            #expect(done["file_count"].int == 1000)
            #expect(done["error"] == .null)
            let catalog = try await stack.client.json("/api/catalog")["items"]
            #expect(catalog[0]["name"].string == "collection-0")
            #expect(catalog[0]["file_count"].int == 100)
            #expect(catalog[0]["files"][0]["path"].string == "collection-0/1.tif")

            // Each ran once, and the second did not read unchanged files again.
            let ends = stack.process.lines(.error).filter { $0.contains("job.succeeded ") }
            #expect(ends.count == 2)
            let read = try Self.bytesRead(stack)
            #expect(read > 768_000_000 && read < 900_000_000, "\(read)")
        }
    }

    @Test(
        "a request that must wait says at which position")
    func positions() async throws {
        try await Self.withImages { stack, root in
            _ = try await Self.scanned(stack)
            #expect(try await stack.client.post("/v1/queue/pause").status == 200)
            let first = try JSON(await stack.client.post("/refresh"))
            #expect(first["status"].string == "started")
            #expect(first["position"].int == 1 && first["ahead"].int == 0)
            #expect(first["queue_depth"].int == 1)
            let second = try JSON(await stack.client.post("/refresh"))
            #expect(second["status"].string == "queued")
            #expect(second["job_id"] == first["job_id"])
            #expect(second["position"].int == 1)
            let status = try await stack.client.json("/refresh/status")
            #expect(status["is_running"].bool == true)
            #expect(status["state"].string == "queued" && status["position"].int == 1)
            #expect(try await stack.client.post("/v1/queue/resume").status == 200)
            _ = try await Self.scanned(stack, version: 2)
        }
    }

    @Test("a scope refreshes the named directories alone")
    func scope() async throws {
        try await Self.withImages(changes: ["watch: true": "watch: false"]) { stack, root in
            _ = try await Self.scanned(stack)
            for collection in [3, 4, 5] {
                try RunningStack.write("new", to: "\(root)/collection-\(collection)/new.tif")
            }
            let body = #"{"scope": ["collection-3", "collection-5"]}"#
            #expect(try await stack.client.post("/refresh", body: body).status == 202)
            #expect(try await Self.scanned(stack, version: 2)["file_count"].int == 1002)
            let counts = try await stack.client.json("/api/catalog")["items"].items?
                .compactMap { $0["file_count"].int }
            #expect(counts == [100, 100, 100, 101, 100, 101, 100, 100, 100, 100])
            #expect(try await stack.client.post("/refresh").status == 202)
            #expect(try await Self.scanned(stack, version: 3)["file_count"].int == 1003)
            // Nothing outside of the data directory.
            for scope in ["../etc", "/etc", ""] {
                let body = #"{"scope": ["\#(scope)"]}"#
                #expect(
                    try await stack.client.post("/refresh", body: body).status == 400, "\(scope)")
            }
        }
    }

    @Test("changed files are seen, several at once by one refresh of their directories")
    func watch() async throws {
        try await Self.withImages(kilobytes: 64) { stack, root in
            _ = try await Self.scanned(stack)
            let before = try Self.bytesRead(stack)
            for index in 0..<20 {
                try RunningStack.write("new", to: "\(root)/collection-2/new-\(index).tif")
                try RunningStack.write("no image", to: "\(root)/collection-3/new-\(index).txt")
            }
            let status = try await Self.scanned(stack, version: 2)
            #expect(status["file_count"].int == 1020)
            #expect(status["version"].int == 2, "one refresh for all of them")
            let line = try await stack.process.waitForLine(.error, containing: "watch.changed")
            #expect(line.contains("parts=1"), "\(line)")
            #expect(try Self.bytesRead(stack) - before < 30_000_000, "only the new ones are read")
            try FileManager.default.removeItem(atPath: "\(root)/collection-2/new-0.tif")
            #expect(try await Self.scanned(stack, version: 3)["file_count"].int == 1019)
        }
    }

    @Test("it is refreshed every so often by itself")
    func schedule() async throws {
        let changes: KeyValuePairs = ["every: 30m": "every: 1s", "watch: true": "watch: false"]
        try await Self.withImages(changes: changes) { stack, root in
            try RunningStack.write("new", to: "\(root)/collection-9/new.tif")
            try await eventually("the schedule finds it", deadline: .seconds(10)) {
                try await stack.client.json("/refresh/status")["file_count"].int == 1001
            }
            let fired = stack.process.lines(.error).count { $0.contains("schedule.fired") }
            #expect(fired >= 1)
            _ = try await Self.scanned(stack, version: 3)
        }
    }

    @Test("a file that cannot be read shows as the error, the kept catalogue is served")
    func unreadable() async throws {
        // Root can read everything.
        let isRoot = getuid() == 0
        let prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        let bond = ["setpriv", "--pdeathsig", "KILL", "--"]
        try await Self.withImages(prefix: isRoot ? prefix + bond : []) { stack, root in
            _ = try await Self.scanned(stack)
            try await Example.shell("umask 777; echo > \(root)/collection-1/secret.tif")
            #expect(try await stack.client.post("/refresh").status == 202)
            let status = try await eventualValue("the error", deadline: .seconds(10)) {
                let status = try await stack.client.json("/refresh/status")
                return status["error"].string != nil ? status : nil
            }
            let error = status["error"].string ?? ""
            #expect(error.contains("collection-1/secret.tif") && error.contains("ermission"))
            let kept = try await stack.client.json("/api/catalog")
            #expect(kept["items"].items?.count == 10)
            try FileManager.default.removeItem(atPath: "\(root)/collection-1/secret.tif")
            #expect(try await stack.client.post("/refresh").status == 202)
            #expect(try await Self.scanned(stack, version: 2)["error"] == .null)
        }
    }
}

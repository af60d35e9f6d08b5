import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// docs/examples/comics.md: a list of two thousand files, built once however many ask.
@Suite("The example comics", .serialized, .timeLimit(.minutes(2)))
struct ExampleComicsTests {
    private static func withComics(
        changes: KeyValuePairs<String, String> = [:], arguments: [String] = [],
        _ body: (RunningStack, _ folder: String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let folder = "\(directory)/comics"
        try await Example.shell(
            """
            for series in {1..20}; do
                mkdir -p \(folder)/series-$series
                for i in {1..100}; do echo $series $i > \(folder)/series-$series/$i.cbz; done
            done
            echo > \(folder)/notes.txt; echo > \(folder)/.hidden.cbz
            """)
        try await Example.run(
            "comics", environment: ["COMICS_DIR": folder], changes: changes, arguments: arguments,
            in: directory
        ) { try await body($0, folder) }
    }

    private static func stats(_ stack: RunningStack) async throws -> JSON {
        try await stack.client.json("/api/cache/stats")["enriched_file_cache"]
    }

    @Test("the first request builds and waits, once, however many processes")
    func onceForAll() async throws {
        try await Self.withComics(arguments: ["--api", "3", "--workers", "2"]) { stack, folder in
            let empty = try await Self.stats(stack)
            #expect(empty["is_populated"].bool == false)
            #expect(empty["file_count"] == .null && empty["age_seconds"] == .null)
            #expect(empty["rebuild_in_progress"].bool == false)
            // The workers are held, so that all are there before the list is.
            let workers = stack.members("worker")
            #expect(workers.count == 2)
            for worker in workers { kill(worker, SIGSTOP) }
            try await withThrowingTaskGroup(of: HTTPClient.Response.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await stack.client.get("/api/files", deadline: .seconds(30))
                    }
                }
                do {
                    try await eventually("the build is asked for") {
                        try await Self.stats(stack)["rebuild_in_progress"].bool == true
                    }
                } catch {
                    for worker in workers { kill(worker, SIGCONT) }
                    throw error
                }
                for worker in workers { kill(worker, SIGCONT) }
                for try await answer in group {
                    #expect(answer.status == 200)
                    #expect(answer.headers["x-freshet-version"] == "1")
                    #expect(answer.body.firstRange(of: "\"count\":2000,".utf8) != nil)
                }
            }
            let built = try await stack.client.json("/stats")
            #expect(built["total_refreshes"].int == 1)

            let body = try await stack.client.get("/api/cache/stats")
            let stats = try JSON(body)["enriched_file_cache"]
            #expect(stats["file_count"].int == 2000)
            #expect(stats["age_seconds"].double ?? -1 >= 0)
            #expect(stats["is_populated"].bool == true)
            #expect(stats["rebuild_in_progress"].bool == false)
            #expect(
                stats.names
                    == [
                        "age_seconds", "file_count", "is_populated", "item_count",
                        "rebuild_in_progress",
                    ])
            let files = try await stack.client.json("/api/files")["items"]
            #expect(
                files[0]["name"].string == "1.cbz" && files[0]["path"].string == "series-1/1.cbz")
            #expect(files[0].names == ["modified_at", "name", "path", "size_bytes"])
        }
    }

    @Test("force answers with the old list at once and rebuilds behind")
    func force() async throws {
        try await Self.withComics(changes: ["watch: true": "watch: false"]) { stack, folder in
            _ = try await stack.client.json("/api/files")
            try RunningStack.write("new", to: "\(folder)/series-1/new.cbz")
            // Held, so that the rebuild is certainly not over when the answer is.
            let workers = stack.members("worker")
            for worker in workers { kill(worker, SIGSTOP) }
            let old = try await stack.client.json("/api/files?refresh=true")
            let stats = try await Self.stats(stack)
            let asked = try await stack.client.post("/refresh", body: #"{"force": true}"#)
            for worker in workers { kill(worker, SIGCONT) }
            #expect(old["count"].int == 2000)
            #expect(old["from_cache"].bool == true)
            #expect(old["refreshing_in_background"].bool == true)
            #expect(stats["rebuild_in_progress"].bool == true)
            #expect(stats["file_count"].int == 2000)
            #expect(asked.status == 202)
            try await eventually("the new list") {
                try await Self.stats(stack)["file_count"].int == 2001
            }
            let new = try await stack.client.json("/api/files")
            #expect(new["items"].items?.contains { $0["name"].string == "new.cbz" } == true)
        }
    }

    @Test("a comic that comes rebuilds the list")
    func watch() async throws {
        try await Self.withComics { stack, folder in
            _ = try await stack.client.json("/api/files")
            try RunningStack.write("new", to: "\(folder)/series-20/new.cbz")
            try await eventually("it is in the list", deadline: .seconds(10)) {
                try await Self.stats(stack)["file_count"].int == 2001
            }
        }
    }

    @Test("a failed rebuild is logged and resets the state; the old list is served")
    func failedRebuild() async throws {
        let changes: KeyValuePairs = [
            "interval: 10s": "interval: 50ms", "watch: true": "watch: false",
        ]
        try await Self.withComics(changes: changes) { stack, folder in
            _ = try await stack.client.json("/api/files")
            try FileManager.default.moveItem(atPath: folder, toPath: "\(folder)-away")
            #expect(try await stack.client.post("/refresh").status == 202)
            let dead = try await stack.process.waitForLine(.error, containing: "job.dead")
            #expect(dead.contains("No such file or directory"))
            #expect(stack.process.lines(.error).count { $0.contains("job.failed ") } == 2)
            let stats = try await eventualValue("the state is reset") {
                let stats = try await Self.stats(stack)
                return stats["rebuild_in_progress"].bool == false ? stats : nil
            }
            #expect(stats["is_populated"].bool == true)
            #expect(stats["file_count"].int == 2000)
            #expect(try await stack.client.json("/api/files")["count"].int == 2000)
            try FileManager.default.moveItem(atPath: "\(folder)-away", toPath: folder)
            #expect(try JSON(await stack.client.post("/refresh"))["status"].string == "started")
            try await eventually("the error is gone") {
                let status = try await stack.client.json("/refresh/status")
                return status["error"] == .null && status["is_running"].bool == false
            }
        }
    }
}

import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("Ending a command", .timeLimit(.minutes(1)))
struct CommandEndingTests {
    /// Starts `script`, waits until it wrote `count` process numbers to `pids`, and cancels it.
    private func cancelled(
        _ script: String, count: Int
    ) async throws -> (pids: [Int32], took: Duration) {
        let folder = try Folder()
        var definition = CommandSource(argv: ["sh", "-c", script])
        definition.workingDirectory = folder.path
        let run = try source(.command(definition))
        let job = try context()
        func pids() -> [Int32] {
            (folder.read("pids") ?? "").split(separator: "\n").compactMap { Int32($0) }
        }
        let task = Task { try await run.run(job) }
        #expect(try await eventually { pids().count >= count })
        let begin = ContinuousClock.now
        task.cancel()
        await #expect(throws: SourceError.self) { try await task.value }
        return (pids(), ContinuousClock.now - begin)
    }

    @Test("a command that heeds SIGTERM is gone at once, its children too")
    func polite() async throws {
        let isPrompt = try await shortest(below: .seconds(3)) {
            let (pids, took) = try await cancelled(
                "sleep 1000 & echo $! >> pids; echo $$ >> pids; wait", count: 2)
            for pid in pids { #expect(!isRunning(pid)) }
            return took
        }
        #expect(isPrompt)
    }

    @Test("one that ignores SIGTERM is killed after 5 seconds, its children too")
    func stubborn() async throws {
        let (pids, took) = try await cancelled(
            """
            trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $! >> pids
            echo $$ >> pids; while :; do sleep 1; done
            """, count: 2)
        #expect(took > .seconds(4))
        for pid in pids { #expect(!isRunning(pid)) }
    }

    @Test("children that left the process group are ended as well")
    func escaped() async throws {
        let (pids, _) = try await cancelled(
            """
            setsid sh -c 'echo $$ >> pids; sleep 1000; :' & timeout 900 sh -c 'echo $$ >> pids; sleep 900; :' &
            echo $$ >> pids; wait
            """, count: 3)
        for pid in pids { #expect(!isRunning(pid)) }
    }

    @Test("a stopped command is ended too")
    func stopped() async throws {
        let (pids, _) = try await cancelled("echo $$ >> pids; kill -STOP $$", count: 1)
        for pid in pids { #expect(!isRunning(pid)) }
    }

    @Test("what a command leaves running when it ends is ended, and does not hold it up")
    func leftovers() async throws {
        let folder = try Folder()
        var definition = CommandSource(
            argv: ["sh", "-c", "sleep 1000 & echo $! > pids; echo '[1]'"])
        definition.workingDirectory = folder.path
        let payload = try await source(.command(definition)).run(context()).payload()
        #expect(payload.text == "[1]\n")
        let pid = try #require(Int32((folder.read("pids") ?? "").split(separator: "\n")[0]))
        #expect(!isRunning(pid))
    }

    @Test("a cancelled task starts nothing")
    func cancelledBefore() async throws {
        let folder = try Folder()
        var definition = CommandSource(argv: ["sh", "-c", "echo 1 > ran; echo 1"])
        definition.workingDirectory = folder.path
        let run = try source(.command(definition))
        let job = try context()
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await run.run(job)
        }
        await #expect(throws: SourceError.self) { try await task.value }
        #expect(folder.read("ran") == nil)
    }

    @Test("forty commands at once all end and leave no process behind")
    func many() async throws {
        let run = try source(.command(CommandSource(argv: ["sh", "-c", "sleep 0.05; echo 1"])))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask { _ = try await run.run(context()) }
            }
            try await group.waitForAll()
        }
    }

    @Test("when the worker is killed its commands end, their children too")
    func workerKilled() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            var definition = CommandSource(
                argv: ["sh", "-c", "sleep 1000 & echo $! $$ > /tmp/freshet-test-killed; wait; :"])
            definition.contentType = "text/plain"
            let run = try source(.command(definition))
            let job = try context()
            unsafe unlink("/tmp/freshet-test-killed")
            let task = Task { try await run.run(job) }
            while unsafe access("/tmp/freshet-test-killed", R_OK) != 0 { usleep(10_000) }
            usleep(50_000)
            kill(getpid(), SIGKILL)
            _ = try await task.value
        }
        let file = unsafe try #require(unsafe fopen("/tmp/freshet-test-killed", "r"))
        defer {
            unsafe fclose(file)
            unsafe unlink("/tmp/freshet-test-killed")
        }
        var text = ""
        while case let byte = unsafe fgetc(file), byte >= 0 {
            text.unicodeScalars.append(Unicode.Scalar(UInt8(byte)))
        }
        let pids = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        #expect(pids.count == 2)
        #expect(try await eventually { !pids.contains(where: isRunning) })
    }
}

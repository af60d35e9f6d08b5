import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What the command says when it cannot do what it is told.
@Suite("The command", .timeLimit(.minutes(2)))
struct CommandLineTests {
    private func run(
        _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> (exit: ChildProcess.Exit, output: [String], error: [String]) {
        try await ChildProcess.run(
            RunningStack.command(arguments), environment: environment, deadline: .seconds(20))
    }

    private func withConfiguration(
        _ text: String, _ body: (_ directory: String, _ file: String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let file = directory + "/freshet.yaml"
        try RunningStack.write(text, to: file)
        try await body(directory, file)
    }

    private let small = "resources: {a: {source: {command: {argv: [/bin/true]}}}}\n"

    @Test("prints its version and help, and refuses what it does not know")
    func usage() async throws {
        #expect(try await run("--version").output.first?.hasPrefix("freshet ") == true)
        #expect(try await run("help", "refresh").exit == .code(0))
        let unknown = try await run("refresh", "x", "--forse")
        #expect(unknown.exit == .code(64))
        #expect(unknown.error.first?.contains("did you mean --force?") == true)
        #expect(try await run().exit == .code(64))
    }

    @Test("Redis that cannot be reached is exit code 69")
    func unreachable() async throws {
        let result = try await run("status", "--redis", "unix:///tmp/no-such-freshet.sock")
        #expect(result.exit == .code(69))
        #expect(result.error.first?.contains("cannot be reached") == true)
    }

    @Test("listening beyond loopback without keys is exit code 78")
    func exposure() async throws {
        try await withConfiguration(small) { directory, file in
            let api = try await run("api", "--config", file, "--listen", "0.0.0.0:0")
            #expect(api.exit == .code(78))
            let environment = ["FRESHET_LISTEN": "0.0.0.0:0"]
            let up = try await run(
                "up", "--config", file, "--data", directory + "/d", environment: environment)
            #expect(up.exit == .code(78))
        }
    }

    @Test("a configuration is checked, its errors told with line and column")
    func check() async throws {
        try await withConfiguration(small) { _, file in
            let good = try await run("config", "check", file)
            #expect(good.exit == .code(0))
            #expect(good.output.count == 1)
        }
        try await withConfiguration("resources:\n  a: {sorce: {}}\n") { _, file in
            let bad = try await run("config", "check", file)
            #expect(bad.exit == .code(78))
            let errors = bad.error + bad.output
            #expect(errors.contains { $0.hasPrefix("\(file):2:") && $0.contains("source") })
        }
        #expect(try await run("config", "check", "/no/such/file").exit == .code(78))
    }

    @Test("up says what is in its way: no file, a taken port, a taken or closed directory")
    func upRefusals() async throws {
        try await withConfiguration(small) { directory, file in
            let data = directory + "/data"
            let stack = try await RunningStack.start(in: directory)
            let second = try await run("up", "--config", file, "--data", data, "--port", "0")
            #expect(second.exit == .code(1))
            #expect(second.error.first?.contains("another `freshet up`") == true)
            let taken = try await run(
                "up", "--config", file, "--data", directory + "/other", "--port", "\(stack.port)")
            #expect(taken.exit == .code(1))
            #expect(taken.error.first?.contains("in use") == true)
            try RunningStack.write("", to: directory + "/file")
            let blocked = try await run(
                "up", "--config", file, "--data", directory + "/file/data", "--port", "0")
            #expect(blocked.exit == .code(1))
            #expect(blocked.error.first?.contains("data directory") == true)
            let noRedis = try await run(
                "up", "--config", file, "--data", directory + "/third", "--port", "0",
                environment: ["PATH": "/nonexistent"])
            #expect(noRedis.exit == .code(69))
            #expect(noRedis.error.first?.contains("no redis-server on PATH") == true)
            try await stack.stop()
        }
        #expect(try await run("up", "--config", "/no/such/file").exit == .code(78))
    }

    @Test("api, worker and scheduler start without Redis, say so, and end on SIGTERM")
    func withoutRedis() async throws {
        try await withConfiguration(small) { _, file in
            for role in ["api", "worker", "scheduler"] {
                var arguments = [role, "--config", file]
                arguments += ["--redis", "unix:///tmp/no-such-freshet.sock"]
                if role == "api" { arguments += ["--listen", "127.0.0.1:0"] }
                let process = try await ChildProcess.start(RunningStack.command(arguments))
                try await process.waitForLine(.error, containing: "redis")
                #expect(process.exit == nil)
                process.send(signal: SIGTERM)
                #expect(try await process.waitForExit(deadline: .seconds(20)) == .code(0))
            }
        }
    }
}

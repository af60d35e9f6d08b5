import Codecs
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// SIGHUP, over real processes: what an operator does to change a key.
@Suite("A reload", .serialized, .timeLimit(.minutes(2)))
struct ReloadTests {
    private static func configuration(_ keys: String) -> String {
        """
        api:
          keys: [\(keys)]
        resources:
          one: {fresh_for: never, source: {command: {argv: [/bin/echo, "[1]"]}}}
        """
    }

    private static func key(_ secret: String) -> String {
        let hash = SHA256.hash(secret).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "{name: web, sha256: \"\(hash.joined())\", scopes: [read]}"
    }

    @Test("a hang-up changes keys, a broken file changes nothing, and no process ends of it")
    func hangUp() async throws {
        let stack = try await RunningStack.start(
            Self.configuration(Self.key("web.one")), arguments: ["--api", "2", "--workers", "1"])
        do {
            try await check(stack)
        } catch {
            let log = stack.process.lines(.error).suffix(40).joined(separator: "\n")
            await stack.process.stop(grace: .seconds(20))
            throw Unexpected("\(error)\n\(log)")
        }
        try await stack.stop()
    }

    private func check(_ stack: RunningStack) async throws {
        let file = stack.directory + "/freshet.yaml"
        func told(_ event: String, _ count: Int) async throws {
            try await eventually("\(count) times \(event)") {
                stack.process.lines(.error).count { $0.contains(event) } == count
            }
        }
        func status(_ secret: String) async throws -> Int {
            try await stack.client.get("/v1/resources/one", headers: ["X-API-Key": secret]).status
        }
        let before = Processes.children(of: stack.process.pid).sorted()
        #expect(try await status("web.one") == 200)

        try RunningStack.write(
            Self.configuration(Self.key("web.one") + ", " + Self.key("web.two")), to: file)
        stack.process.send(signal: SIGHUP)
        try await told("config.reloaded", 2)
        #expect(try await status("web.one") == 200)
        #expect(try await status("web.two") == 200)

        try RunningStack.write(
            Self.configuration("{name: web, sha: 1}, {nam: web}"), to: file)
        stack.process.send(signal: SIGHUP)
        try await eventually("both tell every error") {
            let lines = stack.process.lines(.error).filter { $0.contains("config.rejected") }
            return lines.count { $0.contains("freshet.yaml:2:") } >= 6
        }
        #expect(try await status("web.one") == 200)

        try RunningStack.write(Self.configuration(Self.key("web.two")), to: file)
        stack.process.send(signal: SIGHUP)
        try await told("config.reloaded", 4)
        for _ in 0..<8 { #expect(try await status("web.one") == 401) }
        #expect(try await status("web.two") == 200)

        for pid in stack.members("worker") + stack.members("scheduler") { kill(pid, SIGHUP) }
        try await told("config.not_reloaded", 2)
        #expect(Processes.children(of: stack.process.pid).sorted() == before)
    }
}

import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Follows the pages of docs/examples as a reader does: types what they show below `Try it`, and
/// looks for what they say comes back.
@Suite("The pages of the examples", .serialized, .timeLimit(.minutes(2)))
struct ExamplePageTests {
    /// The fenced blocks below `Try it`, in their order.
    private static func blocks(of page: String) throws -> [String] {
        let path = "\(Example.repository)/docs/examples/\(page).md"
        var blocks: [String] = []
        var open: [Substring]?
        var isBelow = false
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { isBelow = line == "## Try it" }
            guard isBelow else { continue }
            if line.hasPrefix("```") {
                if let lines = open { blocks.append(lines.joined(separator: "\n")) }
                open = open == nil ? [] : nil
            } else {
                open?.append(line)
            }
        }
        return blocks
    }

    private enum Block {
        case commands
        /// An answer, which has these members.
        case answer([String])
        /// Lines of the log, which have these events and fields.
        case log([[String]])

        init(_ text: String) {
            let lines = text.split(separator: "\n")
            if text.hasPrefix("{") {
                self = .answer(text.matches(of: /"([a-z_]+)":/).map { String($0.1) })
            } else if lines.allSatisfy({ $0.contains(" | ") && $0.contains("…") }) {
                self = .log(
                    lines.map { line in
                        line.matches(of: /[a-z]+\.[a-z_]+ | [a-z_]+=/).map { String($0.0) }
                    })
            } else {
                self = .commands
            }
        }
    }

    @Test("each runs to the letter", arguments: ["cinema", "resources", "catalog", "comics"])
    func page(name: String) async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let ports = try LoopbackPort.free(count: 2)
        // Ports and directories of this test's own; images that are read within a second or two.
        func placed(_ text: String) -> String {
            text.replacing("127.0.0.1:8080", with: "127.0.0.1:\(ports[0])")
                .replacing("127.0.0.1:9000", with: "127.0.0.1:\(ports[1])")
                .replacing("demo-source 9000", with: "demo-source \(ports[1])")
                .replacing("/tmp/", with: "\(directory)/").replacing("-s 4M", with: "-s 512K")
                .replacing("freshet up", with: "exec freshet up --data \(directory)/data")
        }
        let blocks = try Self.blocks(of: name)
        let path = "\(RunningStack.executable.dropLast("/freshet".count)):/usr/bin:/bin"
        let stack = try await ChildProcess.start(
            ["bash", "-euc", "cd '\(Example.repository)'; \(placed(try #require(blocks.first)))"],
            environment: [
                "PATH": path, "FRESHET_LISTEN": "127.0.0.1:\(ports[0])", "DEMO_SOURCE_PACE": "0.2",
            ])
        do {
            try await stack.waitForLine(containing: "ready ", deadline: .seconds(30))
            var typed = ""
            var output = ""
            var answers = 0
            for block in blocks.dropFirst() {
                switch Block(block) {
                case .commands:
                    typed = placed(block)
                    output = try await Example.shell(typed).joined(separator: "\n")
                case .answer(let members):
                    answers += 1
                    func isThere() -> Bool {
                        members.allSatisfy { output.contains("\"\($0)\":") }
                    }
                    // Who types it is slower: the scan that the page tells of may have to begin yet.
                    for _ in 0..<5 where !isThere() {
                        output = try await Example.shell(typed).joined(separator: "\n")
                    }
                    #expect(isThere(), "\(members) in \(output)")
                case .log(let lines):
                    for words in lines {
                        try await eventually("\(words) in the log", deadline: .seconds(15)) {
                            stack.lines(.error).contains { line in words.allSatisfy(line.contains) }
                        }
                    }
                }
            }
            #expect(answers > 0)
        } catch {
            let log = stack.lines(.error).suffix(30).joined(separator: "\n")
            await stack.stop(grace: .seconds(20))
            throw Unexpected("\(error)\n\(log)")
        }
        stack.send(signal: SIGINT)
        _ = try await stack.waitForExit(deadline: .seconds(40))
    }
}

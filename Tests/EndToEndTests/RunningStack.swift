import FoundationEssentials
import Glibc
import TestSupport

/// A stack run by the command itself: `freshet up` with its own Redis, in a directory of its own.
struct RunningStack {
    let directory: String
    let process: ChildProcess
    let port: Int

    var client: HTTPClient { HTTPClient(port: port) }

    /// Starts `freshet up` in a new directory with `configuration` as its freshet.yaml.
    static func start(
        _ configuration: String, arguments: [String] = []
    ) async throws -> RunningStack {
        let directory = try TemporaryDirectory.create()
        do {
            try write(configuration, to: directory + "/freshet.yaml")
            return try await start(in: directory, arguments: arguments)
        } catch {
            TemporaryDirectory.remove(directory)
            throw error
        }
    }

    /// Starts `freshet up` again where it ran before.
    static func start(
        in directory: String, arguments: [String] = []
    ) async throws -> RunningStack {
        let process = try await ChildProcess.start(
            command(
                ["up", "--config", "\(directory)/freshet.yaml", "--data", "\(directory)/data"]
                    + ["--port", "0"] + arguments))
        let ready = try await process.waitForLine(containing: "ready ", deadline: .seconds(30))
        guard let port = ready.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw Unexpected("no port in: \(ready)")
        }
        return RunningStack(directory: directory, process: process, port: port)
    }

    /// The `freshet` that this build made, beside the tests.
    static let executable: String = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = own?.split(separator: "/").dropLast().joined(separator: "/") ?? ""
        return "/\(folder)/freshet"
    }()

    static func command(_ arguments: [String]) -> [String] { [executable] + arguments }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    /// Runs an operator's command against this stack.
    func freshet(
        _ arguments: String..., deadline: Duration = .seconds(30)
    ) async throws -> (exit: ChildProcess.Exit, output: [String], error: [String]) {
        try await ChildProcess.run(
            Self.command(
                arguments + [
                    "--data", "\(directory)/data", "--config", "\(directory)/freshet.yaml",
                ]
            ), deadline: deadline)
    }

    /// Process ids of the members whose name begins with `role`: this stack's children.
    func members(_ role: String) -> [Int32] {
        Processes.children(of: process.pid).filter { pid in
            let words = Processes.commandLine(of: pid)
            return words.first?.hasSuffix("freshet") == true && words.dropFirst().first == role
        }
    }

    /// Ends it as Ctrl-C does, and removes its directory.
    func stop() async throws {
        process.send(signal: SIGINT)
        do {
            _ = try await process.waitForExit(deadline: .seconds(60))
        } catch {
            await process.stop()
            throw error
        }
        TemporaryDirectory.remove(directory)
    }
}

/// What /proc tells about processes.
enum Processes {
    static func all() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }
    }

    static func commandLine(of pid: Int32) -> [String] {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    static func parent(of pid: Int32) -> Int32? {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
        // The name, in parentheses, may hold anything.
        let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?
            .split(separator: " ")
        return fields.flatMap { $0.count > 1 ? Int32($0[1]) : nil }
    }

    static func children(of pid: Int32) -> [Int32] { all().filter { parent(of: $0) == pid } }

    /// Processes whose command line names `text`: those that a stack in that directory left behind.
    static func naming(_ text: String) -> [[String]] {
        all().map(commandLine).filter { words in words.contains { $0.contains(text) } }
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

import FoundationEssentials
import Glibc
import TestSupport

/// Runs the files of Config/ as their pages in docs/examples say, on a port of their own.
enum Example {
    static let repository =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    static func file(_ name: String) -> String { "\(repository)/Config/\(name).yaml" }

    /// Starts `freshet up` with a file of Config/, runs `body` against it and leaves nothing behind.
    ///
    /// - Parameters:
    ///   - changes: Texts of the file that are replaced in a copy, each of which must be there:
    ///     times that a test cannot wait for. Without any, the file itself is used.
    ///   - prefix: Words before the command.
    static func run(
        _ name: String, environment: [String: String] = [:],
        changes: KeyValuePairs<String, String> = [:], arguments: [String] = [],
        prefix: [String] = [], in folder: String? = nil,
        _ body: (RunningStack) async throws -> Void
    ) async throws {
        let directory = try folder ?? TemporaryDirectory.create()
        defer { if folder == nil { TemporaryDirectory.remove(directory) } }
        let configuration = try copy(name, changes, in: directory)
        let process = try await ChildProcess.start(
            prefix
                + RunningStack.command(
                    [
                        "up", "--config", configuration, "--data", "\(directory)/data",
                        "--port", "0",
                    ] + arguments),
            environment: environment.merging(["FRESHET_LOG_LEVEL": "debug"]) { own, _ in own })
        do {
            let ready = try await process.waitForLine(
                containing: "ready ", deadline: .seconds(30))
            guard let port = ready.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw Unexpected("no port in: \(ready)")
            }
            try await body(RunningStack(directory: directory, process: process, port: port))
        } catch {
            let log = process.lines(.error).suffix(40).joined(separator: "\n")
            await process.stop(grace: .seconds(20))
            throw Unexpected("\(error)\n\(log)")
        }
        process.send(signal: SIGINT)
        do {
            _ = try await process.waitForExit(deadline: .seconds(40))
        } catch {
            await process.stop()
            throw error
        }
        try await eventually("no process is left") {
            Processes.naming("\(directory)/data").isEmpty
        }
    }

    /// The path of the file `name`, or of a copy in `directory` with `changes`.
    static func copy(
        _ name: String, _ changes: KeyValuePairs<String, String>, in directory: String
    ) throws -> String {
        guard !changes.isEmpty else { return file(name) }
        var text = try String(contentsOf: URL(filePath: file(name)), encoding: .utf8)
        for (old, new) in changes {
            guard text.contains(old) else { throw Unexpected("\(name).yaml has no \(old)") }
            text = text.replacing(old, with: new)
        }
        let path = "\(directory)/\(name).yaml"
        try RunningStack.write(text, to: path)
        return path
    }

    /// Runs a line of a page, as bash does.
    @discardableResult
    static func shell(
        _ line: String, environment: [String: String] = [:]
    ) async throws -> [String] {
        let path = "\(RunningStack.executable.dropLast("/freshet".count)):/usr/bin:/bin"
        let result = try await ChildProcess.run(
            ["bash", "-euc", "cd '\(repository)'; \(line)"],
            environment: environment.merging(["PATH": path]) { own, _ in own },
            deadline: .seconds(30))
        guard result.exit == .code(0) else {
            throw Unexpected("\(line): \(result.exit) \(result.error.joined(separator: "\n"))")
        }
        return result.output
    }
}

/// The program `demo-source`, which stands in for the systems that the examples refresh from.
struct Upstream {
    let port: Int
    private let process: ChildProcess

    var url: String { "http://127.0.0.1:\(port)" }

    /// Starts it on `port`, or on a free one, at `pace` times its usual delays.
    static func start(port: Int? = nil, pace: Double = 1) async throws -> Upstream {
        let port = try port ?? LoopbackPort.free()
        let program = "\(RunningStack.executable.dropLast("freshet".count))demo-source"
        let process = try await ChildProcess.start(
            [program, String(port)], environment: ["DEMO_SOURCE_PACE": String(pace)])
        try await process.waitForLine(.error, containing: "listens on")
        return Upstream(port: port, process: process)
    }

    /// Calls of `target` so far.
    func calls(_ target: String) async throws -> Int {
        try await counts()["targets"][target].int ?? 0
    }

    func counts() async throws -> JSON {
        try JSON(await HTTPClient(port: port).get("/calls"))
    }

    func stop() async { await process.stop() }
}

/// A JSON value, looked into by names; what is not there is `.null`.
enum JSON: Decodable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    init(_ response: HTTPClient.Response) throws {
        try self.init(parsing: response.body)
    }

    init(parsing text: some Sequence<UInt8>) throws {
        do {
            self = try JSONDecoder().decode(JSON.self, from: Data(text))
        } catch {
            throw Unexpected("not JSON: \(String(decoding: Data(text).prefix(300), as: UTF8.self))")
        }
    }

    subscript(name: String) -> JSON {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    subscript(index: Int) -> JSON {
        if case .list(let items) = self, items.indices.contains(index) {
            items[index]
        } else {
            .null
        }
    }

    var names: [String] {
        if case .object(let members) = self { members.keys.sorted() } else { [] }
    }
    var items: [JSON]? { if case .list(let items) = self { items } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var double: Double? { if case .number(let value) = self { value } else { nil } }
    var int: Int? { double.flatMap { Int(exactly: $0) } }
    var string: String? { if case .text(let value) = self { value } else { nil } }
}

extension HTTPClient {
    /// The JSON that a GET of `path` answers with, which must be a 200.
    func json(_ path: String, deadline: Duration = .seconds(20)) async throws -> JSON {
        let response = try await get(path, deadline: deadline)
        guard response.status == 200 else {
            throw Unexpected("GET \(path): \(response.status) \(response.text.prefix(500))")
        }
        return try JSON(response)
    }

    /// The shortest of some calls of `path`: what the machine's other work does not account for.
    func shortest(_ path: String, of count: Int = 5) async throws -> Duration {
        var best = Duration.seconds(3600)
        for _ in 0..<count {
            best = min(best, try await ContinuousClock().measure { _ = try await get(path) })
        }
        return best
    }

    /// The events of a stream, to its end: type and data.
    func events(_ path: String) async throws -> [(type: String, data: JSON)] {
        let stream = try self.stream(path)
        var events: [(type: String, data: JSON)] = []
        var type = ""
        for await line in stream.lines {
            if line.hasPrefix("event: ") { type = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") {
                events.append((type, try JSON(parsing: line.dropFirst(6).utf8)))
            }
        }
        return events
    }
}

internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// A Redis server of a test's own, on a unix socket in a fresh directory.
///
/// It keeps nothing but what `arguments` ask for (`--appendonly yes`), has no TCP port unless asked,
/// and is gone with its directory after `stop`.
package final class PrivateRedis: Sendable {
    /// The server of the suite with the trait `.privateRedis`.
    @TaskLocal package static var current: PrivateRedis?

    package let directory: String
    package let socketPath: String
    /// The port on 127.0.0.1, when one was asked for.
    package let port: Int?
    private let arguments: [String]
    private let child: Mutex<ChildProcess?>

    private init(directory: String, port: Int?, arguments: [String]) {
        self.directory = directory
        socketPath = directory + "/redis.sock"
        self.port = port
        self.arguments = arguments
        child = Mutex(nil)
    }

    /// Starts a server and waits until it takes connections.
    ///
    /// - Parameters:
    ///   - arguments: Further options of `redis-server`, such as `["--appendonly", "yes"]`.
    ///   - tcp: Also listen on a free port of 127.0.0.1.
    ///   - port: Also listen on this port of 127.0.0.1.
    package static func start(
        _ arguments: [String] = [], tcp: Bool = false, port: Int? = nil
    ) async throws -> PrivateRedis {
        let port = try port ?? (tcp ? LoopbackPort.free() : nil)
        let redis = PrivateRedis(
            directory: try TemporaryDirectory.create(), port: port, arguments: arguments)
        do {
            try await redis.restart()
        } catch {
            await redis.stop()
            throw error
        }
        return redis
    }

    /// For `redis.url` in a configuration.
    package var url: String { "unix://\(socketPath)" }

    /// The process; nil after `stop`.
    package var process: ChildProcess? { child.withLock { $0 } }

    /// Starts the server again, with the same directory and options, when it does not run.
    package func restart() async throws {
        if let process, process.exit == nil { await process.stop() }
        let started = try await ChildProcess.start(
            [
                "redis-server", "--port", port.map(String.init) ?? "0", "--bind", "127.0.0.1",
                "--unixsocket", socketPath, "--dir", directory, "--save", "", "--daemonize", "no",
                "--enable-debug-command", "local",
            ] + arguments)
        child.withLock { $0 = started }
        try await started.waitForLine(containing: "eady to accept connections")
        try await eventually("a connection to \(socketPath)") { canConnect() }
    }

    /// Sends a signal; with one that ends the server, waits for its end.
    package func kill(_ signal: Int32 = SIGKILL) async throws {
        guard let process else { return }
        process.send(signal: signal)
        if signal == SIGKILL || signal == SIGTERM || signal == SIGINT {
            _ = try await process.waitForExit()
        }
    }

    /// Stops it from answering, as a machine does that hangs; `resume` ends that.
    package func freeze() { process?.send(signal: SIGSTOP) }

    package func resume() { process?.send(signal: SIGCONT) }

    /// Runs one command by `redis-cli`, beside the connections under test.
    @discardableResult
    package func cli(_ words: String...) async throws -> String { try await cli(words) }

    /// The same, with the words in a list.
    @discardableResult
    package func cli(_ words: [String]) async throws -> String {
        let result = try await ChildProcess.run(["redis-cli", "-s", socketPath] + words)
        guard result.exit == .code(0) else {
            throw Failure(
                words: words, text: (result.error + result.output).joined(separator: "\n"))
        }
        return result.output.joined(separator: "\n")
    }

    /// Ends the server and removes its directory.
    package func stop() async {
        if let process { await process.stop() }
        child.withLock { $0 = nil }
        // A killed server leaves its socket, which the removal of a directory stumbles over.
        unsafe unlink(socketPath)
        TemporaryDirectory.remove(directory)
    }

    private func canConnect() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let family = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) }
        let address = family + Array(socketPath.utf8) + [0]
        return unsafe address.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe connect(descriptor, pointer.baseAddress, socklen_t(bytes.count)) == 0
            }
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        let words: [String]
        let text: String
        package var description: String { "redis-cli \(words.joined(separator: " ")): \(text)" }
    }
}

/// Directories under /tmp: their paths are short enough for unix sockets.
package enum TemporaryDirectory {
    package static func create() throws -> String {
        var template = Array("/tmp/freshet-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package static func remove(_ path: String) {
        // Left-overs in /tmp must not fail a test that is otherwise done.
        try? FileManager.default.removeItem(atPath: path)
    }
}

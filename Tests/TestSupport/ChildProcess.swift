internal import Glibc
internal import Synchronization

/// A program that a test runs: its output by lines, its signals, its end. Always by its own pid.
///
/// It is killed when the test process dies, and by `stop`.
package final class ChildProcess: Sendable {
    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    package enum Stream: Sendable {
        case output
        case error
    }

    private struct State {
        var exit: Exit?
        var output = LineBuffer()
        var error = LineBuffer()
    }

    package let arguments: [String]
    package let pid: Int32
    private let input: Int32
    private let state: SharedState

    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    private init(arguments: [String], pid: Int32, input: Int32, state: SharedState) {
        self.arguments = arguments
        self.pid = pid
        self.input = input
        self.state = state
    }

    deinit { close(input) }

    /// Starts `arguments[0]`, found in PATH, with the rest as its arguments.
    ///
    /// - Parameters:
    ///   - environment: Added to, or put in the place of, this process' own variables.
    ///   - diesWithParent: Killed by the kernel when this process ends, however it ends.
    package static func start(
        _ arguments: [String], environment: [String: String] = [:], diesWithParent: Bool = true
    ) async throws -> ChildProcess {
        let pipes = try Pipes()
        var words = arguments
        // The kernel sends that signal when the *thread* that made the child ends, so the thread
        // below lives as long as the child does. setpriv executes the program, so the pid stays.
        if diesWithParent { words = ["setpriv", "--pdeathsig", "KILL", "--"] + words }
        let command = words
        let state = SharedState()
        let pid: Int32 = try await withCheckedThrowingContinuation { continuation in
            BackgroundThread.start {
                let result = Result { try Spawn.run(command, environment, pipes) }
                pipes.closeChildEnds()
                continuation.resume(with: result)
                if case .success(let pid) = result { reap(pid, state) }
            }
        }
        read(pipes.output.read) { bytes in state.value.withLock { $0.output.append(bytes) } }
        read(pipes.error.read) { bytes in state.value.withLock { $0.error.append(bytes) } }
        return ChildProcess(
            arguments: arguments, pid: pid, input: pipes.input.write, state: state)
    }

    /// Runs a program to its end and answers with what it wrote.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:],
        deadline: Duration = .seconds(10)
    ) async throws -> (exit: Exit, output: [String], error: [String]) {
        let child = try await start(arguments, environment: environment)
        do {
            let exit = try await child.waitForExit(deadline: deadline)
            try await eventually("output of \(arguments)") { child.hasClosedOutput }
            return (exit, child.lines(.output), child.lines(.error))
        } catch {
            await child.stop()
            throw error
        }
    }

    /// The complete lines so far, and at the end of the stream what follows the last one.
    package func lines(_ stream: Stream = .output) -> [String] {
        state.value.withLock { state in
            stream == .output ? state.output.lines : state.error.lines
        }
    }

    /// Waits for a line that fits, of those to come and those that came already.
    @discardableResult
    package func waitForLine(
        _ stream: Stream = .output, containing text: String, deadline: Duration = .seconds(10)
    ) async throws -> String {
        try await eventualValue("\(arguments[0]) prints \"\(text)\"", deadline: deadline) {
            if let line = lines(stream).first(where: { $0.contains(text) }) { return line }
            if let exit, hasClosedOutput { throw Ended(child: self, exit: exit) }
            return nil
        }
    }

    /// How it ended; nil while it runs.
    package var exit: Exit? { state.value.withLock { $0.exit } }

    package func waitForExit(deadline: Duration = .seconds(10)) async throws -> Exit {
        try await eventualValue("\(arguments[0]) ends", deadline: deadline) { exit }
    }

    /// Sends a signal, unless it has ended.
    package func send(signal: Int32) {
        state.value.withLock { state in
            // Under the lock, so that it is not reaped and its number not given away meanwhile.
            if state.exit == nil { _ = kill(pid, signal) }
        }
    }

    /// Ends it: SIGTERM, and SIGKILL when that does not help in time.
    @discardableResult
    package func stop(grace: Duration = .seconds(5)) async -> Exit? {
        send(signal: SIGCONT)
        send(signal: SIGTERM)
        if let exit = try? await waitForExit(deadline: grace) { return exit }
        send(signal: SIGKILL)
        return try? await waitForExit(deadline: .seconds(5))
    }

    /// Writes to its standard input.
    package func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(input, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private var hasClosedOutput: Bool {
        state.value.withLock { $0.output.isAtEnd && $0.error.isAtEnd }
    }

    private static func reap(_ pid: Int32, _ state: SharedState) {
        var information = unsafe siginfo_t()
        // Learn of the end without giving up the number, then do that under the lock.
        while unsafe waitid(P_PID, UInt32(pid), &information, WEXITED | WNOWAIT) != 0 {
            guard errno == EINTR else { return }
        }
        state.value.withLock { state in
            var status: Int32 = 0
            _ = unsafe waitpid(pid, &status, 0)
            let signal = status & 0x7f
            state.exit = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
        }
    }

    private static func read(_ descriptor: Int32, _ take: @escaping @Sendable ([UInt8]?) -> Void) {
        BackgroundThread.start {
            var buffer = [UInt8](repeating: 0, count: 16_384)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                    unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                take(Array(buffer[..<count]))
            }
            take(nil)
            close(descriptor)
        }
    }

    /// It ended before it wrote what was waited for.
    package struct Ended: Error, CustomStringConvertible {
        let child: ChildProcess
        let exit: Exit
        package var description: String {
            "\(child.arguments) ended with \(exit): "
                + (child.lines(.error) + child.lines(.output)).suffix(20).joined(separator: "\n")
        }
    }
}

/// Bytes cut into lines.
private struct LineBuffer {
    private(set) var lines: [String] = []
    private(set) var isAtEnd = false
    private var rest: [UInt8] = []

    /// nil is the end of the stream.
    mutating func append(_ bytes: [UInt8]?) {
        guard let bytes else {
            if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
            isAtEnd = true
            return
        }
        rest.append(contentsOf: bytes)
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: rest[..<end], as: UTF8.self))
            rest.removeSubrange(...end)
        }
    }
}

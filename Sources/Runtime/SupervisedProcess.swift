internal import CLinux

/// A program run as a child of this process, watched by an event loop.
///
/// It has a process group of its own, so that a terminal's Ctrl-C reaches only the supervisor, and
/// it is sent a signal when the supervisor dies, however that dies. All methods belong to the loop's
/// thread; the death signal hangs on that thread too, so it must live as long as the process.
@safe
package final class SupervisedProcess {
    /// What to run.
    package struct Command: Sendable {
        package var executable: String
        /// Without the program's own name.
        package var arguments: [String]
        package var environment: [String: String]
        /// A descriptor that stays open in the child, for a lock that must outlive the parent.
        package var keptDescriptor: Int32?
        /// Whether the child is killed when the parent dies, or asked to end (SIGTERM).
        package var isKilledWithParent = true

        package init(executable: String, arguments: [String], environment: [String: String]) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
        }
    }

    /// Where a line of output came from.
    package enum Stream: Sendable {
        case output
        case error
    }

    /// How it ended.
    package enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// What a supervisor sends.
    package enum Signal: Int32, Sendable {
        /// SIGHUP: read the configuration again.
        case hangUp = 1
        /// SIGTERM: drain and end.
        case terminate = 15
        /// SIGKILL.
        case kill = 9
    }

    package let pid: Int32
    private let loop: EventLoop
    private let exitDescriptor: Int32
    private var pipes: [Stream: OutputPipe] = [:]
    private let onLine: (Stream, String) -> Void
    private let onExit: (Exit) -> Void

    /// Starts `command`.
    ///
    /// - Parameters:
    ///   - onLine: Called with each line it prints, without the line's end.
    ///   - onExit: Called once, after the last line.
    /// - Throws: `SystemError` when it cannot be started.
    package init(
        _ command: Command, on loop: EventLoop, onLine: @escaping (Stream, String) -> Void,
        onExit: @escaping (Exit) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.onLine = onLine
        self.onExit = onExit
        let output = try OutputPipe()
        let error = try OutputPipe()
        let environment = command.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let started = unsafe Self.withStrings([command.executable] + command.arguments) {
            arguments in
            unsafe Self.withStrings(environment) { environment in
                unsafe command.executable.withCString { path in
                    var request = unsafe freshet_spawn_request(
                        path: path, arguments: arguments, environment: environment,
                        output: output.writeEnd, error: error.writeEnd,
                        keep: command.keptDescriptor ?? -1,
                        death_signal: command.isKilledWithParent ? SIGKILL : SIGTERM)
                    return unsafe freshet_spawn(&request)
                }
            }
        }
        output.closeWriteEnd()
        error.closeWriteEnd()
        guard started > 0 else {
            throw SystemError("start \(command.executable)", code: -started)
        }
        pid = started
        exitDescriptor = freshet_pidfd_open(started)
        precondition(exitDescriptor >= 0, "the kernel has no pidfd_open; Linux 5.3 is needed")
        pipes = [.output: output, .error: error]
        for (stream, pipe) in pipes {
            loop.add(pipe.readEnd, [.read]) { [unowned self] _ in self.read(stream) }
        }
        loop.add(exitDescriptor, [.read]) { [unowned self] _ in self.finish() }
    }

    /// Sends a signal to the process; nothing happens when it has ended.
    package func signal(_ signal: Signal) { kill(pid, signal.rawValue) }

    private func read(_ stream: Stream) {
        guard let pipe = pipes[stream] else { return }
        let isOpen = pipe.read { self.onLine(stream, $0) }
        if !isOpen { close(stream) }
    }

    private func close(_ stream: Stream) {
        guard let pipe = pipes.removeValue(forKey: stream) else { return }
        loop.remove(pipe.readEnd)
        pipe.flush { self.onLine(stream, $0) }
    }

    private func finish() {
        loop.remove(exitDescriptor)
        CLinux.close(exitDescriptor)
        // What it printed last may still be in the pipes. Their end may never come: a grandchild can
        // hold them open.
        for stream in [Stream.output, .error] {
            read(stream)
            close(stream)
        }
        let status = freshet_reap_child(pid)
        onExit(status >= 0 ? .code(status) : .signal(-status))
    }

    /// Calls `body` with a NULL-terminated array of C strings, valid during the call.
    private static func withStrings<Result>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { text in
            let bytes = Array(text.utf8)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            for (index, byte) in bytes.enumerated() {
                unsafe copy[index] = CChar(bitPattern: byte)
            }
            unsafe copy[bytes.count] = 0
            return unsafe copy
        }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe $0?.deallocate() } }
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
}

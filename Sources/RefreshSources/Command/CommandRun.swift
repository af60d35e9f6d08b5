internal import CSpawn
internal import Codecs
internal import Glibc
internal import Runtime

/// What is needed to start a program.
struct CommandStart {
    var path: String
    var arguments: [String]
    var environment: [String: String]
    var workingDirectory: String?
}

/// How a run of a command ended.
enum CommandEnding {
    case exited(status: Int32)
    case signalled(Int32)
    /// More standard output than allowed.
    case overflow
    case cancelled
    case notStarted(String)
}

/// One run of a program, from its start until nothing of it is left. Belongs to one thread, which
/// outlives the program: the kernel ties the parent-death signal to it.
///
///     running ──leader ends──▶ ending ──group gone──▶ over
///        └─cancelled, overflow─▶ stopping (SIGTERM, SIGKILL 5 s later) ──leader ends──▶ ending
final class CommandRun {
    private static let grace = UInt64(FRESHET_GRACE_MILLISECONDS) * 1_000_000
    /// As much as a pipe can hold; what stands in one when the program has ended is read.
    private static let pipeCapacity = 1 << 20

    private(set) var output: [UInt8] = []
    private(set) var errors = ErrorTail()
    private(set) var lines: ProgressLines
    private let maximumBytes: Int
    private var buffer = ReadBuffer(capacity: 64 << 10)

    private var leader: Int32 = 0
    private var stopReason: CommandEnding?
    private var killAt: UInt64?
    private var strays: Set<ProcessTree.Member> = []

    init(maximumBytes: Int, lines: ProgressLines) {
        self.maximumBytes = maximumBytes
        self.lines = lines
    }

    func run(_ start: CommandStart, _ cancellation: Cancellation) -> CommandEnding {
        let wake = freshet_wakeup_descriptor()
        guard wake >= 0 else { return .notStarted(errorText()) }
        defer { close(wake) }
        var streams = Streams()
        if let failure = launch(start, &streams) { return .notStarted(failure) }
        cancellation.onCancel { freshet_wake(wake) }
        let status = waitForLeader(&streams, wake: wake, cancellation)
        cancellation.forget()
        streams.drain(atMost: Self.pipeCapacity) { take($0, from: $1) }
        endGroup()
        Guardian.forget(leader)
        lines.finish()
        if let stopReason { return stopReason }
        return status < 0 ? .signalled(-status) : .exited(status: status)
    }

    // MARK: start

    private func launch(_ start: CommandStart, _ streams: inout Streams) -> String? {
        var writers: [Int32] = []
        defer { for writer in writers { close(writer) } }
        for index in 0..<3 {
            var reader: Int32 = -1
            var writer: Int32 = -1
            guard unsafe freshet_spawn_pipe(&reader, &writer) == 0 else { return errorText() }
            streams.readers[index] = reader
            writers.append(writer)
        }
        let guardian = Guardian.lifeline()
        let environment = start.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let (child, failure) = unsafe withCStrings(start.arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe start.path.withCString { path in
                    unsafe withOptionalCString(start.workingDirectory) { directory in
                        var spawn = unsafe freshet_command(
                            path: path, arguments: arguments, environment: environment,
                            directory: directory, output: writers[0], errors: writers[1],
                            progress: writers[2], guardian: guardian, parent: 0, error: 0)
                        let child = unsafe freshet_start(&spawn)
                        return unsafe (child, spawn.error)
                    }
                }
            }
        }
        guard child > 0 else { return errorText(failure) }
        leader = child
        return nil
    }

    // MARK: while it runs

    /// Reads what the program writes until it ends.
    /// - Returns: Its exit status, or the negative number of a signal.
    private func waitForLeader(
        _ streams: inout Streams, wake: Int32, _ cancellation: Cancellation
    ) -> Int32 {
        // Without such a descriptor the kernel is asked every 20 ms instead.
        let ended = freshet_process_descriptor(leader)
        defer { if ended >= 0 { close(ended) } }
        while true {
            if cancellation.isCancelled, stopReason == nil { stop(.cancelled) }
            if stopReason != nil { streams.closeOutput(ifOverflown: isOverflow) }
            var timeout: Int32 = ended < 0 ? 20 : -1
            if let killAt {
                let now = EventLoop.monotonicNanoseconds()
                if now >= killAt { signalAll(SIGKILL) }
                timeout = now >= killAt ? 20 : Int32((killAt - now) / 1_000_000 + 1)
            }
            var polled = streams.readers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // Once told, the wake-up stays readable, so it is left out.
            let wakeOrNone = stopReason == nil ? wake : -1
            polled.append(pollfd(fd: wakeOrNone, events: Int16(POLLIN), revents: 0))
            polled.append(pollfd(fd: ended, events: Int16(POLLIN), revents: 0))
            _ = unsafe poll(&polled, nfds_t(polled.count), timeout)
            for index in 0..<3 where polled[index].revents != 0 {
                streams.read(index, &buffer) { take($0, from: $1) }
            }
            var status: Int32 = 0
            if unsafe freshet_reap(leader, &status) == 1 { return status }
        }
    }

    private var isOverflow: Bool { if case .overflow? = stopReason { true } else { false } }

    private func take(_ bytes: ArraySlice<UInt8>, from stream: Int) {
        switch stream {
        case 0:
            guard stopReason == nil else { return }
            guard output.count + bytes.count <= maximumBytes else { return stop(.overflow) }
            output.append(contentsOf: bytes)
        case 1: errors.take(bytes)
        default: lines.take(bytes)
        }
    }

    // MARK: its end

    private func stop(_ reason: CommandEnding) {
        stopReason = reason
        output = []
        killAt = EventLoop.monotonicNanoseconds() + Self.grace
        strays = ProcessTree.descendants(of: leader)
        signalAll(SIGTERM)
    }

    private func signalAll(_ signal: Int32) {
        strays.formUnion(ProcessTree.descendants(of: leader))
        kill(-leader, signal)
        for stray in ProcessTree.alive(strays) { kill(stray.id, signal) }
        // A stopped process acts on SIGTERM only once it goes on.
        if signal == SIGTERM { kill(-leader, SIGCONT) }
    }

    /// Ends what the leader left behind, in its group or among its known descendants.
    private func endGroup() {
        guard isAnythingLeft else { return }
        kill(-leader, SIGTERM)
        let deadline = killAt ?? EventLoop.monotonicNanoseconds() + Self.grace
        var isKilled = false
        while isAnythingLeft {
            if EventLoop.monotonicNanoseconds() >= deadline, !isKilled {
                isKilled = true
                kill(-leader, SIGKILL)
                for stray in ProcessTree.alive(strays) { kill(stray.id, SIGKILL) }
            }
            // A process in an uninterruptible call cannot be waited for without end.
            if EventLoop.monotonicNanoseconds() >= deadline + 1_000_000_000 { return }
            _ = poll(nil, 0, 5)
        }
    }

    private var isAnythingLeft: Bool {
        ProcessTree.isGroupAlive(leader) || !(strays.isEmpty || ProcessTree.alive(strays).isEmpty)
    }
}

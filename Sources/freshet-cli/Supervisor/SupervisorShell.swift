internal import Runtime

/// Does what `Supervisor` decides: starts and signals processes, sets timers, asks whether they
/// answer, and tells the machine what happened. Lives on the main thread's loop, which also ties the
/// children's lives to it.
final class SupervisorShell {
    /// What differs between a real stack and one in a test.
    struct Wiring {
        /// How a member is started.
        var command: (Member) -> SupervisedProcess.Command
        /// Where the own Redis answers; `nil` without one.
        var redis: Endpoint?
        /// Where `/ready` is asked.
        var api: Endpoint
        var isTLS = false
        /// Told once, when requests are served.
        var announce: () -> Void
        var log: SupervisorLog
    }

    private struct Running {
        var process: SupervisedProcess
        var startedAt: UInt64
    }

    private let loop: EventLoop
    private let wiring: Wiring
    private var machine: Supervisor
    private var running: [Member: Running] = [:]
    /// What Redis says while it starts and ends is of interest only when that fails.
    private var heldLines: [String] = []
    private var holdsRedisLines = true
    private var outcome = ExitCode.done

    init(plan: Supervisor.Plan, wiring: Wiring, loop: EventLoop) {
        self.loop = loop
        self.wiring = wiring
        machine = Supervisor(plan: plan)
    }

    /// Runs until everything has been drained, on the calling thread.
    func run() -> ExitCode {
        let signals = SignalSource(loop: loop)
        let shell = LoopBound(self, loop: loop)
        // A hang-up says that the terminal is gone, or, while it is there or never was, to reload.
        let hasTerminal = StandardStream.error.isTerminal
        signals.onSignal([.interrupt, .terminate, .hangUp]) { signal in
            if signal != .hangUp || (hasTerminal && !StandardStream.error.isTerminal) {
                shell.value.requestStop()
            } else {
                shell.value.requestReload()
            }
        }
        perform(machine.begin())
        loop.run()
        signals.close()
        return outcome
    }

    /// What a signal does.
    func requestStop() { perform(machine.stopRequested()) }

    /// What a hang-up does that is none.
    func requestReload() { perform(machine.reloadRequested()) }

    /// The process id of a member that runs.
    func processID(of member: Member) -> Int32? { running[member]?.process.pid }

    private func perform(_ actions: [Supervisor.Action]) {
        for action in actions {
            switch action {
            case .start(let member): start(member)
            case .terminate(let member):
                if member == .redis { holdsRedisLines = true }
                running[member]?.process.signal(.terminate)
            case .kill(let member): running[member]?.process.signal(.kill)
            case .reload(let member): running[member]?.process.signal(.hangUp)
            case .setTimer(let timer, let delay):
                loop.schedule(after: delay) { [unowned self] in
                    self.perform(self.machine.timerFired(timer))
                }
            case .probeRedis: probeRedis()
            case .probeReady: probeReady()
            case .announceReady: wiring.announce()
            case .report(let report):
                if report.isAboutRedis { showHeldLines() }
                wiring.log.report(report)
            case .finish(let code):
                outcome = code
                loop.stop()
            }
        }
    }

    private func start(_ member: Member) {
        do throws(SystemError) {
            let process = try SupervisedProcess(
                wiring.command(member), on: loop,
                onLine: { [unowned self] _, line in self.log(line, from: member) },
                onExit: { [unowned self] exit in self.exited(member, exit) })
            running[member] = Running(
                process: process, startedAt: EventLoop.monotonicNanoseconds())
        } catch {
            // In a turn of its own: the machine is in the middle of an answer.
            loop.schedule(after: .zero) { [unowned self] in
                self.perform(
                    self.machine.exited(member, .notStarted(error.description), after: .zero))
            }
        }
    }

    private func log(_ line: String, from member: Member) {
        guard member == .redis, holdsRedisLines else { return wiring.log.line(line, from: member) }
        heldLines.append(line)
        if heldLines.count > 50 { heldLines.removeFirst() }
    }

    private func showHeldLines() {
        for line in heldLines { wiring.log.line(line, from: .redis) }
        heldLines = []
    }

    private func exited(_ member: Member, _ exit: SupervisedProcess.Exit) {
        guard let ended = running.removeValue(forKey: member) else { return }
        let lifetime = Duration.nanoseconds(
            EventLoop.monotonicNanoseconds() - ended.startedAt)
        let how: MemberExit =
            switch exit {
            case .code(let code): .code(code)
            case .signal(let number): .signal(number)
            }
        perform(machine.exited(member, how, after: lifetime))
    }

    private func probeRedis() {
        guard let redis = wiring.redis else { return }
        SocketExchange.ask(
            redis, "PING\r\n", within: .seconds(1), on: loop,
            isComplete: { $0.contains(UInt8(ascii: "\n")) },
            completion: { [unowned self] outcome in
                // While it loads its data it answers -LOADING.
                var answers = false
                if case .answer(let bytes) = outcome { answers = bytes.starts(with: "+PONG".utf8) }
                if answers { self.holdsRedisLines = false }
                self.perform(self.machine.redisAnswered(answers))
            })
    }

    private func probeReady() {
        ReadyProbe.ask(wiring.api, isTLS: wiring.isTLS, on: loop) { [unowned self] problem in
            self.perform(self.machine.readyAnswered(problem: problem))
        }
    }
}

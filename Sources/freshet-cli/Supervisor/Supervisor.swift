/// Decides what `freshet up` does next; it starts nothing itself.
///
/// Each method takes one thing that happened and returns what is to be done about it, in order.
/// `SupervisorShell` does it. No clock, no process, no descriptor in here, so every order of events
/// can be tried in a test.
///
///     redis ──answers──► serving ──stop──► draining(front) ─► draining(workers) ─► draining(redis)
///       │                   │                  API and scheduler                        │
///       └─ dies three times ┴─ a child says that its configuration is wrong ────► … ─► finish
struct Supervisor {
    /// What `up` was asked to run.
    struct Plan: Equatable, Sendable {
        var ownsRedis: Bool
        var apis: Int
        var workers: Int
        /// How long workers may take to finish their jobs.
        var drainTimeout: Duration
    }

    enum Timer: Hashable, Sendable {
        case restart(Member)
        case probeRedis
        case probeReady
        case deadline(Stage)
    }

    /// Who is asked to stop together; the next stage waits until all of this one are gone.
    enum Stage: Int, Hashable, Sendable {
        case front
        case workers
        case redis
    }

    /// What people are told on the log.
    enum Report: Equatable, Sendable {
        case died(Member, MemberExit, restartIn: Duration)
        case gaveUp(Member, MemberExit)
        case notReady(String)
        case draining
        case tookTooLong(Member)

        /// Whether it is about the own Redis failing.
        var isAboutRedis: Bool {
            switch self {
            case .died(let member, _, _), .gaveUp(let member, _), .tookTooLong(let member):
                member == .redis
            case .notReady, .draining: false
            }
        }
    }

    enum Action: Equatable, Sendable {
        case start(Member)
        case terminate(Member)
        case kill(Member)
        /// Tell it to read the configuration again.
        case reload(Member)
        case setTimer(Timer, Duration)
        /// Ask whether the own Redis takes connections; `redisAnswered` hears of it.
        case probeRedis
        /// Ask `/ready`; `readyAnswered` hears of it.
        case probeReady
        case announceReady
        case report(Report)
        case finish(ExitCode)
    }

    private enum Phase: Equatable {
        case startingRedis
        case serving
        case draining(Stage)
        case over
    }

    /// A member that lived so long did not fail at its start: its next restart is a quick one.
    static let steady = Duration.seconds(10)
    static let firstDelay = Duration.milliseconds(100)
    static let longestDelay = Duration.seconds(10)
    /// Failed starts of the own Redis before it ever answered.
    static let redisAttempts = 3
    /// Readiness is asked for at this pace; people are told after `patience` of it.
    static let probePace = Duration.milliseconds(50)
    private static let patience = 200

    private let plan: Plan
    private var phase = Phase.startingRedis
    private var alive: Set<Member> = []
    private var failures: [Member: Int] = [:]
    private var redisHasAnswered = false
    private var isAnnounced = false
    private var probes = 0
    private var isKilling = false
    private var outcome = ExitCode.done

    init(plan: Plan) { self.plan = plan }

    // MARK: what happened

    mutating func begin() -> [Action] {
        guard plan.ownsRedis else { return serve() }
        return [start(.redis), .setTimer(.probeRedis, .milliseconds(10))]
    }

    mutating func redisAnswered(_ answers: Bool) -> [Action] {
        guard phase == .startingRedis else { return [] }
        guard answers else { return [.setTimer(.probeRedis, .milliseconds(20))] }
        redisHasAnswered = true
        failures[.redis] = nil
        return serve()
    }

    /// - Parameter problem: What is missing; `nil` when requests are served.
    mutating func readyAnswered(problem: String?) -> [Action] {
        guard phase == .serving, !isAnnounced else { return [] }
        guard let problem else {
            isAnnounced = true
            return [.announceReady]
        }
        probes += 1
        var actions: [Action] = [.setTimer(.probeReady, Self.probePace)]
        if probes % Self.patience == 0 { actions.append(.report(.notReady(problem))) }
        return actions
    }

    mutating func timerFired(_ timer: Timer) -> [Action] {
        switch timer {
        case .probeRedis: return phase == .startingRedis ? [.probeRedis] : []
        case .probeReady: return phase == .serving && !isAnnounced ? [.probeReady] : []
        case .restart(let member):
            guard mayRun(member), !alive.contains(member) else { return [] }
            return [start(member)]
        case .deadline(let stage):
            guard phase == .draining(stage) else { return [] }
            return members(of: stage).filter(alive.contains).flatMap { member -> [Action] in
                [.report(.tookTooLong(member)), .kill(member)]
            }
        }
    }

    /// - Parameter lifetime: How long the process ran.
    mutating func exited(_ member: Member, _ exit: MemberExit, after lifetime: Duration) -> [Action]
    {
        alive.remove(member)
        switch phase {
        case .over: return []
        case .draining:
            guard mayRun(member), !isKilling else { return advance() }
        case .startingRedis, .serving: break
        }
        if isHopeless(exit) {
            return [.report(.gaveUp(member, exit))] + stop(with: exitCode(of: exit))
        }
        let failed = lifetime >= Self.steady ? 1 : failures[member, default: 0] + 1
        failures[member] = failed
        if member == .redis, !redisHasAnswered, failed >= Self.redisAttempts {
            return [.report(.gaveUp(member, exit))] + stop(with: .failed)
        }
        let delay = Self.delay(afterFailures: failed)
        return [
            .report(.died(member, exit, restartIn: delay)), .setTimer(.restart(member), delay),
        ]
    }

    /// SIGINT or SIGTERM came. The second one ends everything at once.
    mutating func stopRequested() -> [Action] {
        switch phase {
        case .over: return []
        case .draining:
            isKilling = true
            let victims = Self.order(alive)
            return victims.isEmpty ? advance() : victims.map { .kill($0) }
        case .startingRedis, .serving: return stop(with: .done)
        }
    }

    /// SIGHUP came: it is the API processes' business.
    func reloadRequested() -> [Action] {
        guard phase == .serving else { return [] }
        return Self.order(alive).filter { $0.role == .api }.map { .reload($0) }
    }

    // MARK: what follows

    /// 0.1 s, doubled with each failure, at most 10 s.
    static func delay(afterFailures count: Int) -> Duration {
        var delay = firstDelay
        for _ in 1..<max(1, count) where delay < longestDelay { delay = delay * 2 }
        return min(delay, longestDelay)
    }

    private mutating func serve() -> [Action] {
        phase = .serving
        let members =
            (1...plan.apis).map { Member.api($0) } + [.scheduler]
            + (0..<plan.workers).map { Member.worker($0 + 1) }
        return members.map { start($0) } + [.setTimer(.probeReady, Self.probePace)]
    }

    private mutating func start(_ member: Member) -> Action {
        alive.insert(member)
        return .start(member)
    }

    private mutating func stop(with code: ExitCode) -> [Action] {
        outcome = code
        return [.report(.draining)] + enter(.front)
    }

    private mutating func enter(_ stage: Stage) -> [Action] {
        phase = .draining(stage)
        let waitedFor = members(of: stage).filter(alive.contains)
        guard !waitedFor.isEmpty else { return advance() }
        return waitedFor.map { .terminate($0) } + [.setTimer(.deadline(stage), patience(of: stage))]
    }

    /// Goes to the next stage when the present one has nobody left.
    private mutating func advance() -> [Action] {
        guard case .draining(let stage) = phase, !members(of: stage).contains(where: alive.contains)
        else { return [] }
        if isKilling && !alive.isEmpty { return [] }
        guard let next = Stage(rawValue: stage.rawValue + 1) else {
            phase = .over
            return [.finish(outcome)]
        }
        return enter(next)
    }

    private func members(of stage: Stage) -> [Member] {
        switch stage {
        case .front: (1...plan.apis).map { .api($0) } + [.scheduler]
        case .workers: (0..<plan.workers).map { .worker($0 + 1) }
        case .redis: [.redis]
        }
    }

    private func patience(of stage: Stage) -> Duration {
        switch stage {
        case .front: .seconds(35)
        case .workers: plan.drainTimeout + .seconds(10)
        case .redis: .seconds(30)
        }
    }

    /// Whether a member that is gone should be there in this phase. What drains needs Redis.
    private func mayRun(_ member: Member) -> Bool {
        switch phase {
        case .startingRedis, .serving: true
        case .draining(let stage): member == .redis && stage != .redis
        case .over: false
        }
    }

    /// Trying again would end the same way: the child says that its call or configuration is wrong.
    private func isHopeless(_ exit: MemberExit) -> Bool {
        guard case .code(let code) = exit else { return false }
        return code == ExitCode.usage.rawValue || code == ExitCode.configuration.rawValue
    }

    private func exitCode(of exit: MemberExit) -> ExitCode {
        guard case .code(let code) = exit else { return .failed }
        return ExitCode(rawValue: code) ?? .failed
    }

    private static func order(_ members: Set<Member>) -> [Member] {
        members.sorted { $0.description < $1.description }
    }
}

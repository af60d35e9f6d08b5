internal import CLinux
internal import Synchronization

/// One thread with an epoll set, timers and a Swift executor.
///
/// Everything that belongs to the loop, its descriptors, its timers, the tasks that prefer it, runs
/// on its thread and shares nothing with other loops, so none of it needs a lock. One turn:
///
///     wait for descriptors or the next timer
///       → descriptor handlers → due timers → jobs and blocks → end-of-turn hooks
///
/// End-of-turn hooks are where a turn's Redis commands leave in one write and where a turn's resumed
/// HTTP connections are driven by one run.
///
/// Invariant: `execute` may be called from any thread; every other method only on the loop's thread,
/// or before `run`.
@safe
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // @unchecked: `inbox` is a Mutex; all else is touched by the loop's thread alone.

    /// What a descriptor is ready for, or what is waited for.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Readiness(rawValue: 1)
        package static let write = Readiness(rawValue: 2)
        /// Error or hang-up; always reported, never asked for.
        package static let closed = Readiness(rawValue: 4)
    }

    /// Names a timer, to cancel it.
    package struct Timer: Hashable, Sendable {
        fileprivate let deadline: UInt64
        fileprivate let number: UInt64
    }

    private enum Work {
        case job(UnownedJob)
        case block(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isAwake = false
        var isStopping = false
    }

    package let name: String
    private let epoll: Int32
    private let wakeup: Int32
    private let inbox = Mutex(Inbox())
    private var local: [Work] = []
    private var handlers: [Int32: (Readiness) -> Void] = [:]
    private var timers = TimerHeap()
    private var timerBodies: [UInt64: () -> Void] = [:]
    private var nextTimerNumber: UInt64 = 1
    private var endOfTurn: [() -> Void] = []
    private var endOfThisTurn: [() -> Void] = []
    private var threadID: UInt = 0

    /// A loop that does nothing until `run` or `start`.
    package init(name: String) {
        self.name = name
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeup >= 0, "no descriptors left for an event loop")
        control(EPOLL_CTL_ADD, wakeup, [.read])
    }

    deinit {
        close(wakeup)
        close(epoll)
    }

    /// Whether the calling thread is the loop's.
    package var isCurrent: Bool { threadID == freshet_thread_id() }

    /// The monotonic clock of timers, in nanoseconds; does not jump.
    package static func monotonicNanoseconds() -> UInt64 {
        freshet_monotonic_nanoseconds()
    }

    // MARK: running

    /// Runs turns on the calling thread until `stop`.
    package func run() {
        threadID = freshet_thread_id()
        var events = [freshet_ready](repeating: freshet_ready(), count: 256)
        while true {
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe freshet_epoll_wait(
                    epoll, buffer.baseAddress, Int32(buffer.count), millisecondsToWait())
            }
            if count > 0 {
                for event in events[0..<Int(count)] { dispatch(event) }
            }
            runDueTimers()
            if !runWork() { break }
            for hook in endOfTurn { hook() }
            finishTurn()
        }
        threadID = 0
    }

    /// Ends `run` after the current turn. From any thread.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
        wake()
    }

    private func millisecondsToWait() -> Int32 {
        if !local.isEmpty { return 0 }
        let hasWork = inbox.withLock { inbox in
            let hasWork = !inbox.work.isEmpty || inbox.isStopping
            inbox.isAwake = hasWork
            return hasWork
        }
        if hasWork { return 0 }
        guard let next = timers.earliest else { return -1 }
        let now = Self.monotonicNanoseconds()
        guard next > now else { return 0 }
        return Int32(min((next - now + 999_999) / 1_000_000, 60_000))
    }

    private func dispatch(_ event: freshet_ready) {
        let descriptor = event.descriptor
        if descriptor == wakeup {
            var count: UInt64 = 0
            _ = unsafe read(wakeup, &count, 8)
            return
        }
        var ready: Readiness = []
        if event.events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { ready.insert(.read) }
        if event.events & EPOLLOUT.rawValue != 0 { ready.insert(.write) }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { ready.insert(.closed) }
        // A handler of this turn may have closed and removed the descriptor.
        handlers[descriptor]?(ready)
    }

    private func runDueTimers() {
        guard timers.earliest != nil else { return }
        let now = Self.monotonicNanoseconds()
        while let number = timers.popDue(now) {
            timerBodies.removeValue(forKey: number)?()
        }
    }

    /// Runs what is queued, and what that queues, up to a bound that lets descriptors have a turn.
    private func runWork() -> Bool {
        var isStopping = false
        for _ in 0..<16 {
            var work = local
            local.removeAll(keepingCapacity: true)
            inbox.withLock { inbox in
                inbox.isAwake = true
                work.append(contentsOf: inbox.work)
                inbox.work.removeAll(keepingCapacity: true)
                isStopping = inbox.isStopping
            }
            if work.isEmpty { break }
            for piece in work {
                switch piece {
                case .job(let job):
                    unsafe job.runSynchronously(
                        isolatedTo: asUnownedSerialExecutor(),
                        taskExecutor: asUnownedTaskExecutor())
                case .block(let body): body()
                }
            }
        }
        return !isStopping
    }

    private func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeup, &one, 8)
    }

    // MARK: executor

    /// Runs a Swift job on the loop. From any thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        submit(.job(UnownedJob(job)))
    }

    /// Runs `body` on the loop, after what runs now. From any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        submit(.block(body))
    }

    private func submit(_ work: Work) {
        if isCurrent {
            local.append(work)
            return
        }
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        if mustWake { wake() }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    package func checkIsolated() {
        precondition(isCurrent, "not on the thread of event loop \(name)")
    }

    // MARK: descriptors

    /// Calls `handler` whenever `descriptor` is ready for one of `interest`, level-triggered.
    package func add(
        _ descriptor: Int32, _ interest: Readiness, handler: @escaping (Readiness) -> Void
    ) {
        handlers[descriptor] = handler
        control(EPOLL_CTL_ADD, descriptor, interest)
    }

    /// Changes what `descriptor` is waited for; nothing keeps it registered for `closed`.
    package func modify(_ descriptor: Int32, _ interest: Readiness) {
        control(EPOLL_CTL_MOD, descriptor, interest)
    }

    /// Forgets `descriptor`; to be called before it is closed.
    package func remove(_ descriptor: Int32) {
        guard handlers.removeValue(forKey: descriptor) != nil else { return }
        control(EPOLL_CTL_DEL, descriptor, [])
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: Readiness) {
        var events: UInt32 = 0
        if interest.contains(.read) { events |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
        if interest.contains(.write) { events |= EPOLLOUT.rawValue }
        _ = freshet_epoll_control(epoll, operation, descriptor, events)
    }

    // MARK: timers and hooks

    /// Runs `body` once, after `delay`.
    @discardableResult
    package func schedule(after delay: Duration, _ body: @escaping () -> Void) -> Timer {
        let (seconds, attoseconds) = delay.components
        let nanoseconds = max(0, seconds) * 1_000_000_000 + max(0, attoseconds / 1_000_000_000)
        let deadline = Self.monotonicNanoseconds() + UInt64(nanoseconds)
        let timer = Timer(deadline: deadline, number: nextTimerNumber)
        nextTimerNumber += 1
        timers.push(deadline: deadline, number: timer.number)
        timerBodies[timer.number] = body
        return timer
    }

    /// Forgets `timer`; nothing happens when it ran already.
    package func cancel(_ timer: Timer) {
        // The heap entry stays until its time and then finds no body.
        timerBodies.removeValue(forKey: timer.number)
    }

    /// Calls `hook` at the end of every turn.
    package func addEndOfTurnHook(_ hook: @escaping () -> Void) { endOfTurn.append(hook) }

    /// Calls `body` once, after the hooks of this turn, so that what a hook caused is not left behind.
    package func atEndOfThisTurn(_ body: @escaping () -> Void) { endOfThisTurn.append(body) }

    private func finishTurn() {
        var next = 0
        while next < endOfThisTurn.count {
            endOfThisTurn[next]()
            next += 1
        }
        endOfThisTurn.removeAll(keepingCapacity: true)
    }

    /// Suspends the calling task, which must run on the loop, for `delay` or until cancelled.
    package func sleep(for delay: Duration) async {
        let box = SleepBox()
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                guard box.begin(continuation) else { return continuation.resume() }
                onLoop { self.schedule(after: delay) { box.end() } }
            }
        } onCancel: {
            box.end()
        }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { execute(body) }
    }
}

/// Resumes one sleeper once, whoever comes first: the timer or the cancellation.
private final class SleepBox: Sendable {
    private enum State {
        case idle
        case sleeping(CheckedContinuation<Void, Never>)
        case over
    }
    private let state = Mutex(State.idle)

    func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard case .idle = state else { return false }
            state = .sleeping(continuation)
            return true
        }
    }

    func end() {
        let continuation: CheckedContinuation<Void, Never>? = state.withLock { state in
            defer { state = .over }
            if case .sleeping(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume()
    }
}

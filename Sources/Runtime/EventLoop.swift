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
    // @unchecked: `inbox` is a Mutex, `threadID` atomic; the loop's thread alone touches the rest.

    /// What a descriptor is ready for, or what is waited for.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Readiness(rawValue: 1)
        package static let write = Readiness(rawValue: 2)
        /// Error or hang-up; always reported, never asked for.
        package static let closed = Readiness(rawValue: 4)
        /// The other side sends no more. Told together with `read` where that is asked for.
        package static let hangUp = Readiness(rawValue: 8)
    }

    /// Names a timer, to cancel it.
    package struct Timer: Hashable, Sendable {
        fileprivate let deadline: UInt64
        fileprivate let number: UInt64
    }

    /// Which end-of-turn hooks run first.
    package enum HookOrder: Int, Sendable {
        /// Drives what the turn has completed, and may start more.
        case resume
        /// Sends what the turn has gathered; nothing is gathered after it.
        case flush
    }

    /// Names an end-of-turn hook, to remove it.
    package struct Hook: Hashable, Sendable {
        fileprivate let order: HookOrder
        fileprivate let number: Int
    }

    private struct Registration {
        var generation: UInt32
        var handler: (Readiness) -> Void
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
    private var registrations: [Registration?] = []
    private var nextGeneration: UInt32 = 1
    private var timers = TimerHeap()
    private var timerBodies: [UInt64: () -> Void] = [:]
    private var nextTimerNumber: UInt64 = 1
    private var cancelledTimers = 0
    private var hooks: [(hook: Hook, body: () -> Void)] = []
    private var nextHookNumber = 0
    private var endOfThisTurn: [() -> Void] = []
    private let threadID = Atomic<UInt>(0)
    private static let wakeupTag = UInt64.max

    /// When the loop last began to handle events, in nanoseconds of `monotonicNanoseconds()`: a time
    /// that costs nothing, at most one turn old.
    package private(set) var now = EventLoop.monotonicNanoseconds()

    /// A loop that does nothing until `run` or `start`.
    package init(name: String) {
        self.name = name
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeup >= 0, "no descriptors left for an event loop")
        let failure = freshet_epoll_control(
            epoll, EPOLL_CTL_ADD, wakeup, EPOLLIN.rawValue, Self.wakeupTag)
        precondition(failure == 0, "an event loop cannot watch its own wake-up")
    }

    deinit {
        close(wakeup)
        close(epoll)
    }

    /// Whether the calling thread is the loop's.
    package var isCurrent: Bool {
        threadID.load(ordering: .relaxed) == freshet_thread_id()
    }

    /// The monotonic clock of timers, in nanoseconds; does not jump.
    package static func monotonicNanoseconds() -> UInt64 {
        freshet_monotonic_nanoseconds()
    }

    // MARK: running

    /// Runs turns on the calling thread until `stop`. Once: it then forgets what it was given.
    package func run() {
        threadID.store(freshet_thread_id(), ordering: .relaxed)
        var events = [freshet_ready](repeating: freshet_ready(), count: 256)
        while true {
            let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
                unsafe freshet_epoll_wait(
                    epoll, buffer.baseAddress, Int32(buffer.count), millisecondsToWait())
            }
            now = Self.monotonicNanoseconds()
            if count > 0 {
                for event in events[0..<Int(count)] { dispatch(event) }
            }
            runDueTimers()
            if !runWork() { break }
            for hook in hooks { hook.body() }
            finishTurn()
        }
        // What is left would keep alive whatever it refers to, and most of that refers to the loop.
        registrations = []
        timerBodies = [:]
        hooks = []
        endOfThisTurn = []
        threadID.store(0, ordering: .relaxed)
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
        if event.tag == Self.wakeupTag {
            var count: UInt64 = 0
            _ = unsafe read(wakeup, &count, 8)
            return
        }
        // A handler of this turn may have removed the descriptor, and another one may have its number.
        let descriptor = Int(truncatingIfNeeded: event.tag & 0xffff_ffff)
        guard descriptor < registrations.count, let registration = registrations[descriptor],
            registration.generation == UInt32(truncatingIfNeeded: event.tag >> 32)
        else { return }
        var ready: Readiness = []
        if event.events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { ready.insert(.read) }
        if event.events & EPOLLRDHUP.rawValue != 0 { ready.insert(.hangUp) }
        if event.events & EPOLLOUT.rawValue != 0 { ready.insert(.write) }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { ready.insert(.closed) }
        registration.handler(ready)
    }

    private func runDueTimers() {
        guard timers.earliest != nil else { return }
        let now = Self.monotonicNanoseconds()
        while let number = timers.popDue(now) {
            if let body = timerBodies.removeValue(forKey: number) {
                body()
            } else if cancelledTimers > 0 {
                cancelledTimers -= 1
            }
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

    /// Calls `handler` whenever `descriptor` is ready for one of `interest`.
    ///
    /// - Parameter edgeTriggered: Only when it becomes ready, not for as long as it is.
    /// - Returns: False when the system has no room to watch it; it is then not registered.
    @discardableResult
    package func add(
        _ descriptor: Int32, _ interest: Readiness, edgeTriggered: Bool = false,
        handler: @escaping (Readiness) -> Void
    ) -> Bool {
        let index = Int(descriptor)
        while registrations.count <= index { registrations.append(nil) }
        let generation = nextGeneration
        // Never all ones: with the descriptor that could be the wake-up's tag.
        nextGeneration = nextGeneration >= 0x7fff_ffff ? 1 : nextGeneration + 1
        registrations[index] = Registration(generation: generation, handler: handler)
        let failure = control(
            EPOLL_CTL_ADD, descriptor, interest, generation, edgeTriggered: edgeTriggered)
        if failure != 0 { registrations[index] = nil }
        return failure == 0
    }

    /// Changes what `descriptor` is waited for; nothing keeps it registered for `closed`.
    package func modify(_ descriptor: Int32, _ interest: Readiness, edgeTriggered: Bool = false) {
        guard Int(descriptor) < registrations.count,
            let registration = registrations[Int(descriptor)]
        else { return }
        _ = control(
            EPOLL_CTL_MOD, descriptor, interest, registration.generation,
            edgeTriggered: edgeTriggered)
    }

    /// Forgets `descriptor`; to be called before it is closed.
    package func remove(_ descriptor: Int32) {
        guard Int(descriptor) < registrations.count, registrations[Int(descriptor)] != nil else {
            return
        }
        registrations[Int(descriptor)] = nil
        _ = freshet_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Readiness, _ generation: UInt32,
        edgeTriggered: Bool
    ) -> Int32 {
        var events: UInt32 = 0
        if interest.contains(.read) { events |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
        if interest.contains(.hangUp) { events |= EPOLLRDHUP.rawValue }
        if interest.contains(.write) { events |= EPOLLOUT.rawValue }
        if edgeTriggered { events |= EPOLLET.rawValue }
        let tag = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        return freshet_epoll_control(epoll, operation, descriptor, events, tag)
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
        // The heap entry stays until its time and then finds no body; many of those are swept out.
        guard timerBodies.removeValue(forKey: timer.number) != nil else { return }
        cancelledTimers += 1
        if cancelledTimers > 1024 && cancelledTimers > timers.count / 2 {
            timers.keep { timerBodies[$0] != nil }
            cancelledTimers = 0
        }
    }

    /// Calls `body` at the end of every turn.
    @discardableResult
    package func addEndOfTurnHook(
        _ order: HookOrder = .flush, _ body: @escaping () -> Void
    ) -> Hook {
        nextHookNumber += 1
        let hook = Hook(order: order, number: nextHookNumber)
        let place = hooks.firstIndex { $0.hook.order.rawValue > order.rawValue } ?? hooks.count
        hooks.insert((hook, body), at: place)
        return hook
    }

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

    /// Forgets a hook.
    package func removeEndOfTurnHook(_ hook: Hook) { hooks.removeAll { $0.hook == hook } }
}

internal import Coordination
internal import FreshetModel
internal import Runtime

/// How a refresh that readers wait for came out.
enum RefreshEnd: Sendable {
    /// A new version or a renewal is held.
    case updated
    /// An attempt failed; the job goes on or is dead.
    case failed(JobID?, error: String)
    /// The job was told to stop.
    case cancelled(JobID?)
}

/// What became of this process' asking for a refresh of a key it found cold or stale.
enum ReadAsk {
    /// Nobody asked since the last refresh ended.
    case none
    /// Asked, and not answered yet.
    case asking
    /// There is a job; not asked again until an event says how it ended.
    case asked(RefreshReceipt)
    /// Not asked again until this time of the monotonic clock: the last job is dead, or the store
    /// failed.
    case resting(until: UInt64)
}

/// A key this process has to do with: what it holds of it, knows of it, and who waits for it.
final class KeyEntry {
    let key: Key
    let resource: Resource
    let counters: ResourceCounters
    var copy: PayloadCopy?
    var refresh = RefreshView()
    var ask = ReadAsk.none
    /// The last asking queued nothing, or the next one probably will not: the queue is full, or the
    /// store fails. Nobody is told of a refresh until one is there.
    var isAskVain = false

    /// The highest version a client was told of; a lower one is not served any more.
    private(set) var toldVersion: Int64 = 0
    /// The number of the load that was begun last when `toldVersion` was set: a load begun later that
    /// finds less tells that the store lost data.
    private(set) var toldBefore: UInt64 = 0

    /// Tasks that wait for the store's answer.
    let loads: Waiters<Result<KeyStatus, RefreshError>>
    /// Tasks that wait for the answer to an asking.
    let asks: Waiters<Result<RequestOutcome, RefreshError>>
    /// Tasks that wait for the refresh under way.
    let ends: Waiters<RefreshEnd>
    /// How many refreshes ended, and how the last one did: for who begins to wait just after.
    private(set) var endCount = 0
    private(set) var lastEnd: RefreshEnd?

    var isLoading = false
    /// An `updated` event came that no load has brought in yet.
    var awaitsUpdate = false
    /// The run of the latest job that is known to be over.
    var lastEndedRun: Int64 = 0
    var mustLoadAgain = false
    /// It is no longer in the table.
    var isReleased = false
    /// It stands in line to be read again.
    var waitsToCatchUp = false
    /// The copy is behind what the store has, and the last try to catch up failed.
    var isBehind = false
    /// Nanoseconds of the monotonic clock.
    var lastRead: UInt64 = 0
    /// It was read since reads were last told to the store.
    var isTouched = false
    /// Streams that follow it.
    var streamCount = 0
    /// Requests that work with it.
    var pins = 0
    /// The variants that are being made off the loop.
    var coding: [PayloadEncoding: Waiters<Bool>] = [:]

    init(key: Key, resource: Resource, counters: ResourceCounters, loop: EventLoop) {
        self.key = key
        self.resource = resource
        self.counters = counters
        loads = Waiters(loop: loop)
        asks = Waiters(loop: loop)
        ends = Waiters(loop: loop)
    }

    /// The copy, when it may be served at `now`.
    func servable(_ now: Timestamp) -> PayloadCopy? {
        guard let copy, copy.metadata.version >= toldVersion, copy.metadata.isKept(at: now)
        else { return nil }
        return copy
    }

    /// Whether anybody needs the entry.
    var isNeeded: Bool {
        copy != nil || isLoading || streamCount > 0 || pins > 0 || !loads.isEmpty || !ends.isEmpty
            || !asks.isEmpty || !coding.isEmpty
    }

    /// Notes that a client was told of `version`.
    func told(_ version: Int64, lastLoad: UInt64) {
        guard version > toldVersion else { return }
        toldVersion = version
        toldBefore = lastLoad
    }

    /// Takes back what clients were told: the store lost its data and begins anew, or is away.
    func forgetTold(_ version: Int64) { toldVersion = version }

    /// Wakes who waits for the refresh.
    func end(_ end: RefreshEnd) {
        endCount += 1
        lastEnd = end
        ends.resumeAll(returning: end)
    }

    /// Notes that the refresh this process asked for is over.
    func askEnded() {
        if case .asking = ask { return }
        ask = .none
        isAskVain = false
    }

    /// The job this process asked for, as far as it has got.
    var receipt: RefreshReceipt? {
        guard case .asked(var receipt) = ask, let job = refresh.job, refresh.state.isUnderWay,
            job.id == receipt.job.id
        else { return nil }
        receipt.job = job
        receipt.status = refresh.state == .running ? .running : .queued
        return receipt
    }

    /// How long `job` was said to take when this process asked for it; events do not tell.
    func estimate(of job: JobID) -> Duration? {
        guard case .asked(let receipt) = ask, receipt.job.id == job else { return nil }
        return receipt.job.estimatedRemaining
    }

    /// Whether a read may ask for a refresh at `now`, nanoseconds of the monotonic clock.
    func mayAsk(_ now: UInt64) -> Bool {
        switch ask {
        case .none: !refresh.state.isUnderWay
        case .asking, .asked: false
        case .resting(let until): now >= until && !refresh.state.isUnderWay
        }
    }

    /// Whether a refresh is under way, as far as is known.
    var isRefreshing: Bool {
        switch ask {
        case .asked: true
        case .asking: !isAskVain
        case .none, .resting: refresh.state.isUnderWay
        }
    }
}

internal import Coordination
internal import FreshetModel
internal import Runtime

/// Asks the store for refreshes on behalf of reads: once per key and process until an event says
/// how the refresh ended.
final class RefreshAsker {
    /// How long a key rests after the store failed or its queue was full.
    private static let restAfterFailure: UInt64 = 1_000_000_000
    /// How long a key rests whose last job is dead, before the store is asked again whether its
    /// cool-down is over.
    private static let restWhileCooling: UInt64 = 5_000_000_000

    private let store: any RefreshStore
    private let table: KeyTable
    private let loader: PayloadLoader
    private let errands: Errands<APICore>
    private let maximumQueue: Int
    private let health: StoreHealth
    /// Until when the queue is taken for full, nanoseconds of the monotonic clock.
    private var isFullUntil: UInt64 = 0

    init(
        store: any RefreshStore, table: KeyTable, loader: PayloadLoader,
        errands: Errands<APICore>, maximumQueue: Int, health: StoreHealth
    ) {
        self.store = store
        self.table = table
        self.loader = loader
        self.errands = errands
        self.maximumQueue = maximumQueue
        self.health = health
    }

    /// Whether an asking for `entry` at `now` is likely to queue a refresh, as far as this process
    /// knows; a reader of a stale payload is told of one before the store has answered.
    func mayExpect(_ entry: KeyEntry, at now: UInt64) -> Bool {
        !entry.isAskVain && now >= isFullUntil
    }

    /// Asks for a refresh of what `entry` holds, after the answer that found it stale was queued.
    func askLater(_ entry: KeyEntry) {
        entry.isAskVain = !mayExpect(entry, at: EventLoop.monotonicNanoseconds())
        entry.ask = .asking
        let key = entry.key
        let seen = entry.copy?.metadata.version
        errands.start { core in await core.asker.perform(key, seen, nil) }
    }

    /// Asks for a refresh of a key of which nothing is kept, or joins the asking under way.
    ///
    /// - Parameters:
    ///   - seen: The version the store had when nothing was found.
    ///   - trace: W3C `traceparent` of the request.
    ///   - isExact: Whether position and estimate must be of now; who waits anyway needs only the job.
    func ask(
        _ entry: KeyEntry, seen: Int64, trace: String?, isExact: Bool
    ) async -> Result<RequestOutcome, RefreshError> {
        if !isExact, let receipt = entry.receipt { return .success(.accepted(receipt)) }
        let outcome = await entry.asks.outcome(health) {
            if case .asking = entry.ask { return }
            entry.isAskVain = !mayExpect(entry, at: EventLoop.monotonicNanoseconds())
            entry.ask = .asking
            let key = entry.key
            errands.start { core in await core.asker.perform(key, seen, trace) }
        }
        return outcome
            ?? .failure(RefreshError(.redisUnavailable, "no answer in time", effect: .unknown))
    }

    private func perform(_ key: Key, _ seen: Int64?, _ trace: String?) async {
        guard let entry = table.find(key) else { return }
        var request = RefreshRequest(
            key: key, origin: .read, priority: entry.resource.priority)
        request.seenVersion = seen
        request.traceparent = trace
        request.coolDown = entry.resource.retry.interval
        request.maximumQueue = maximumQueue
        let outcome = await outcome(of: request)
        settle(entry, outcome)
        entry.asks.resumeAll(returning: outcome)
        table.release(entry)
    }

    private func outcome(
        of request: RefreshRequest
    ) async -> Result<RequestOutcome, RefreshError> {
        do {
            return .success(try await store.request(request))
        } catch {
            // A reader waits for a payload, not for replicas: the job is there.
            guard error.code == .notDurable, error.effect == .applied else {
                return .failure(error)
            }
        }
        do {
            guard let status = try await store.statuses([request.key]).first, let job = status.job
            else { return .success(.notNeeded(version: request.seenVersion ?? 0)) }
            return .success(.accepted(RefreshReceipt(status: .queued, job: job)))
        } catch {
            return .failure(error)
        }
    }

    private func settle(_ entry: KeyEntry, _ outcome: Result<RequestOutcome, RefreshError>) {
        let now = EventLoop.monotonicNanoseconds()
        switch outcome {
        case .success(.accepted(let receipt)): accepted(receipt, entry)
        case .success(.notNeeded):
            entry.ask = .none
            entry.isAskVain = false
            loader.catchUp(entry)
        case .success(.coolingDown): entry.ask = .resting(until: now + Self.restWhileCooling)
        case .success(.queueFull):
            queueIsFull()
            entry.isAskVain = true
            entry.ask = .resting(until: now + Self.restAfterFailure)
        case .failure:
            entry.isAskVain = true
            entry.ask = .resting(until: now + Self.restAfterFailure)
        }
        entry.copy?.forgetAnswers()
    }

    /// Some asking of this process was refused.
    func queueIsFull() {
        isFullUntil = EventLoop.monotonicNanoseconds() + Self.restAfterFailure
    }

    /// Takes the job that any asking of this process got.
    func accepted(_ receipt: RefreshReceipt, _ entry: KeyEntry) {
        entry.isAskVain = false
        noteDepth(receipt)
        // The events of a quick job may be here before the answer that it was queued.
        guard receipt.job.id.run > entry.lastEndedRun else {
            entry.ask = .none
            return
        }
        if !receipt.job.isRerun { entry.ask = .asked(receipt) }
        entry.refresh.apply(receipt.job)
        entry.copy?.forgetAnswers()
    }

    /// Takes from a receipt whether another key would find room.
    func noteDepth(_ receipt: RefreshReceipt) {
        if receipt.job.queueDepth >= maximumQueue {
            queueIsFull()
        } else {
            isFullUntil = 0
        }
    }
}

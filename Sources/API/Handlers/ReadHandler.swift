internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Reads of payloads, contract section 4.1.
///
/// A hit is answered within the call, without the store. All else is a task: it loads, asks and
/// waits, and ends in the same answers.
final class ReadHandler {
    let table: KeyTable
    let loader: PayloadLoader
    let asker: RefreshAsker
    let time: StoreTime
    let answers: HitAnswer
    let codings = CodingMemo()
    let store: any RefreshStore
    let receipts: ReceiptAnswer

    init(
        table: KeyTable, loader: PayloadLoader, asker: RefreshAsker, time: StoreTime,
        answers: HitAnswer, store: any RefreshStore, receipts: ReceiptAnswer
    ) {
        self.table = table
        self.loader = loader
        self.asker = asker
        self.time = time
        self.answers = answers
        self.store = store
        self.receipts = receipts
    }

    /// Answers a read.
    func handle(_ plan: ReadPlan, _ request: HTTPRequest) -> HTTPReply {
        let facts = ReadFacts(request, codings)
        let entry = entry(plan)
        if facts.preferences.wait == nil, !plan.wantsRefresh,
            let reply = hit(plan, entry, facts, monotonic: request.receivedAt)
        {
            return reply
        }
        let trace = TraceParent.valid(request.header("traceparent"))
        return .task { _ in await self.answerLater(plan, facts, trace) }
    }

    private func answerLater(
        _ plan: ReadPlan, _ facts: ReadFacts, _ trace: String?
    ) async -> HTTPReply {
        let entry = entry(plan)
        entry.pins += 1
        defer {
            entry.pins -= 1
            table.release(entry)
        }
        do throws(Problem) {
            return try await read(plan, facts, entry, trace)
        } catch {
            return .response(
                error.response(
                    requestID: facts.requestID,
                    maximumAttempts: plan.resource.retry.maximumAttempts))
        }
    }

    /// The entry of a plan; looked up once while it stays in the table.
    func entry(_ plan: ReadPlan) -> KeyEntry {
        if let entry = plan.entry, !entry.isReleased { return entry }
        let entry = table.entry(plan.entryKey, plan.resource)
        plan.entry = entry
        return entry
    }

    /// The answer from the copy; `nil` when there is none that may be served at once.
    private func hit(
        _ plan: ReadPlan, _ entry: KeyEntry, _ facts: ReadFacts, monotonic: UInt64
    ) -> HTTPReply? {
        let now = time.now(monotonic)
        guard let copy = entry.servable(now) else { return nil }
        let asks = wantsRefresh(plan.resource, copy.metadata, now) && entry.mayAsk(monotonic)
        let triggers = asks && asker.mayExpect(entry, at: monotonic)
        let circumstances = HitAnswer.Circumstances(
            hasTriggered: triggers, isRefreshing: triggers || entry.isRefreshing,
            applied: facts.preferences.respondAsync ? "respond-async" : nil)
        guard let reply = answers.quick(plan, entry, copy, facts, circumstances, now: now) else {
            return nil
        }
        entry.counters.countHit(isFresh: copy.metadata.isFresh(at: now))
        table.touch(entry, at: monotonic)
        if asks { asker.askLater(entry) }
        return reply
    }

    /// Whether a payload is stale, or past `refresh_ahead`.
    func wantsRefresh(
        _ resource: Resource, _ metadata: PayloadMetadata, _ now: Timestamp
    ) -> Bool {
        guard let freshUntil = metadata.freshUntil else { return false }
        if now >= freshUntil { return true }
        guard let share = resource.freshness.refreshAhead else { return false }
        let lifetime = Double(freshUntil.milliseconds - metadata.refreshedAt.milliseconds)
        let age = Double(now.milliseconds - metadata.refreshedAt.milliseconds)
        return age >= lifetime * share
    }

    // MARK: waiting

    private func read(
        _ plan: ReadPlan, _ facts: ReadFacts, _ entry: KeyEntry, _ trace: String?
    ) async throws(Problem) -> HTTPReply {
        table.touch(entry, at: EventLoop.monotonicNanoseconds())
        var wait = EndWait(entry)
        let status = try await loadIfNeeded(entry)
        guard let copy = entry.servable(time.now()) else {
            entry.counters.countMiss()
            return try await cold(plan, facts, entry, &wait, trace, seen: status?.version ?? 0)
        }
        let now = time.now()
        entry.counters.countHit(isFresh: copy.metadata.isFresh(at: now))
        return try await kept(plan, facts, entry, &wait, trace)
    }

    /// Reads the key from the store when nothing servable is held.
    private func loadIfNeeded(_ entry: KeyEntry) async throws(Problem) -> KeyStatus? {
        guard entry.servable(time.now()) == nil else { return nil }
        switch await loader.load(entry) {
        case .success(let status): return status
        case .failure(let error):
            // Something may have come meanwhile.
            guard entry.servable(time.now()) == nil else { return nil }
            throw Problem(error)
        }
    }

    /// Answers with what is kept, after waiting for its refresh where the client wants that.
    private func kept(
        _ plan: ReadPlan, _ facts: ReadFacts, _ entry: KeyEntry, _ wait: inout EndWait,
        _ trace: String?
    ) async throws(Problem) -> HTTPReply {
        var circumstances = HitAnswer.Circumstances()
        let before = entry.copy?.metadata
        if plan.wantsRefresh {
            if case .success(.accepted(let receipt)) = await askOnBehalf(plan, entry, trace) {
                circumstances.hasTriggered = true
                circumstances.job = receipt.job
                wait.job = receipt.job.id
            }
        } else if let metadata = before, wantsRefresh(plan.resource, metadata, time.now()) {
            circumstances.hasTriggered = await triggered(
                entry, metadata.version, waits: (facts.preferences.wait ?? 0) > 0, trace)
        }
        circumstances.isRefreshing = circumstances.hasTriggered || entry.isRefreshing
        if let seconds = facts.preferences.wait {
            circumstances.applied = "wait=\(seconds)"
            if circumstances.isRefreshing, seconds > 0,
                case .updated? = await wait.next(atMost: .seconds(seconds))
            {
                circumstances = HitAnswer.Circumstances(
                    kind: .waitedStale, isRefreshing: entry.isRefreshing,
                    applied: "wait=\(seconds)")
            }
        } else if facts.preferences.respondAsync {
            circumstances.applied = "respond-async"
        }
        return try await answer(plan, facts, entry, circumstances)
    }

    /// Asks for a refresh of a stale payload; whether there is one to be expected. Who will wait for
    /// it anyway waits for the store's word, so as not to wait for nothing.
    private func triggered(
        _ entry: KeyEntry, _ seen: Int64, waits: Bool, _ trace: String?
    ) async -> Bool {
        let now = EventLoop.monotonicNanoseconds()
        let isAsking = if case .asking = entry.ask { true } else { false }
        guard entry.mayAsk(now) || isAsking && waits else { return false }
        guard waits else {
            defer { asker.askLater(entry) }
            return asker.mayExpect(entry, at: now)
        }
        switch await asker.ask(entry, seen: seen, trace: trace, isExact: false) {
        case .success(.accepted), .success(.notNeeded): return true
        case .success(.queueFull), .success(.coolingDown), .failure: return false
        }
    }

    /// Answers with what is held now.
    func answer(
        _ plan: ReadPlan, _ facts: ReadFacts, _ entry: KeyEntry,
        _ circumstances: HitAnswer.Circumstances
    ) async throws(Problem) -> HTTPReply {
        for _ in 0..<3 {
            let now = time.now()
            guard let copy = entry.servable(now) else {
                _ = try await loadIfNeeded(entry)
                continue
            }
            if let reply = await answers.whenCoded(
                plan, entry, copy, facts, circumstances, now: now)
            {
                return reply
            }
        }
        throw Problem(503, "corrupt_data", "The kept payload cannot be decoded.")
    }
}

/// A reader's wait for the refresh under way: nothing that ends between two looks is missed.
struct EndWait {
    private let entry: KeyEntry
    private var seen: Int
    /// The job waited for, once it is known; ends of earlier ones are passed over.
    var job: JobID?

    /// Begins to watch `entry`.
    init(_ entry: KeyEntry) {
        self.entry = entry
        seen = entry.endCount
    }

    /// How the refresh ended, or `nil` when the time passed first.
    mutating func next(atMost limit: Duration) async -> RefreshEnd? {
        let deadline =
            EventLoop.monotonicNanoseconds() + UInt64(max(0, limit.milliseconds)) * 1_000_000
        while true {
            let ticket = entry.ends.register()
            var end: RefreshEnd?
            if entry.endCount > seen {
                end = entry.lastEnd
                ticket.cancel()
            } else {
                let now = EventLoop.monotonicNanoseconds()
                let left = deadline > now ? deadline - now : 0
                end = await ticket.value(atMost: .nanoseconds(Int64(left)))
            }
            guard let end else { return nil }
            seen = entry.endCount
            if concerns(end) { return end }
        }
    }

    private func concerns(_ end: RefreshEnd) -> Bool {
        switch end {
        case .updated: return true
        case .failed(let ended, _), .cancelled(let ended):
            guard let job, let ended else { return true }
            return ended.run >= job.run
        }
    }
}

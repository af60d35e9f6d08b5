import Coordination
import FreshetModel
import Synchronization

/// A store whose connection a test cuts, or whose messages it loses.
final class GatedStore: RefreshStore {
    private struct State {
        var isDown = false
        var isDeaf = false
        var failing: Set<String> = []
        var calls: [String: Int] = [:]
        var feeds: [AsyncStream<FeedItem>.Continuation] = []
    }
    private let state = Mutex(State())
    let base: any RefreshStore

    init(_ base: any RefreshStore) { self.base = base }

    /// While down, every call fails and no event comes; back up, all that was told is suspect.
    func setDown(_ isDown: Bool) {
        let feeds = state.withLock { state in
            state.isDown = isDown
            return state.feeds
        }
        guard !isDown else { return }
        for feed in feeds {
            for partition in 0..<partitions { feed.yield(.suspect(partition: partition)) }
        }
    }

    /// While deaf, events are lost and nobody is told.
    func setDeaf(_ isDeaf: Bool) { state.withLock { $0.isDeaf = isDeaf } }

    /// Calls of these methods fail.
    func setFailing(_ names: Set<String>) { state.withLock { $0.failing = names } }

    func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }

    private func pass<Answer>(
        _ name: String, _ body: () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> Answer {
        let isDown = state.withLock { state in
            state.calls[name, default: 0] += 1
            return state.isDown || state.failing.contains(name)
        }
        if isDown { throw RefreshError(.redisUnavailable, "the gate is closed", effect: .none) }
        return try await body()
    }

    var partitions: Int { base.partitions }

    func feed() -> AsyncStream<FeedItem> {
        let (stream, continuation) = AsyncStream.makeStream(of: FeedItem.self)
        let source = base.feed()
        state.withLock { $0.feeds.append(continuation) }
        let pump = Task {
            for await item in source {
                let isLost = state.withLock { $0.isDown || $0.isDeaf }
                if !isLost { continuation.yield(item) }
            }
        }
        continuation.onTermination = { _ in pump.cancel() }
        return stream
    }

    func cancellations() -> AsyncStream<String> { base.cancellations() }

    func request(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        try await pass("request") { () throws(RefreshError) in try await base.request(request) }
    }

    func requestMany(_ requests: [RefreshRequest]) async throws(RefreshError) -> [RequestOutcome] {
        try await pass("requestMany") { () throws(RefreshError) in
            try await base.requestMany(requests)
        }
    }

    func expire(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        try await pass("expire") { () throws(RefreshError) in try await base.expire(request) }
    }

    func purge(_ key: Key, keepJobs: Duration) async throws(RefreshError) {
        try await pass("purge") { () throws(RefreshError) in
            try await base.purge(key, keepJobs: keepJobs)
        }
    }

    func cancel(_ job: JobID, keepJobs: Duration) async throws(RefreshError) -> CancelOutcome {
        try await pass("cancel") { () throws(RefreshError) in
            try await base.cancel(job, keepJobs: keepJobs)
        }
    }

    func setPaused(_ isPaused: Bool) async throws(RefreshError) {
        try await pass("setPaused") { () throws(RefreshError) in
            try await base.setPaused(isPaused)
        }
    }

    func claim(_ request: ClaimRequest) async throws(RefreshError) -> ClaimBatch {
        try await base.claim(request)
    }

    func heartbeat(_ heartbeats: [Heartbeat]) async throws(RefreshError) -> [Bool] {
        try await base.heartbeat(heartbeats)
    }

    func publish(
        _ publication: Publication, claimNext next: ClaimRequest?
    ) async throws(RefreshError) -> (outcome: PublicationOutcome, next: ClaimBatch) {
        try await base.publish(publication, claimNext: next)
    }

    func fail(_ failure: AttemptFailure) async throws(RefreshError) -> FailureOutcome {
        try await base.fail(failure)
    }

    func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool
    ) async throws(RefreshError) -> Bool {
        try await base.handBack(claim, delay: delay, isSourceAway: isSourceAway)
    }

    func waitForWork(timeout: Duration) async throws(RefreshError) {
        try await base.waitForWork(timeout: timeout)
    }

    func announce(_ worker: WorkerPresence, timeout: Duration) async throws(RefreshError) {
        try await base.announce(worker, timeout: timeout)
    }

    func withdraw(worker id: String) async throws(RefreshError) {
        try await base.withdraw(worker: id)
    }

    func maintain(
        partition: Int, keepJobs: Duration, atMostEvery interval: Duration
    ) async throws(RefreshError) -> MaintenanceReport {
        try await base.maintain(
            partition: partition, keepJobs: keepJobs, atMostEvery: interval)
    }

    func release(_ claim: Claim) async throws(RefreshError) { try await base.release(claim) }

    func takeSlots(_ slots: [Slot], maximum: Int) async throws(RefreshError) -> [Bool] {
        try await base.takeSlots(slots, maximum: maximum)
    }

    func giveBackSlots(_ slots: [Slot]) async throws(RefreshError) {
        try await base.giveBackSlots(slots)
    }

    func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration
    ) async throws(RefreshError) -> (keys: [(key: Key, version: Int64)], looked: Int) {
        try await base.staleKeys(limit: limit, activeWindow: activeWindow, coolDown: coolDown)
    }

    func recordTimes(
        _ times: [ResourceName: [StageTimes.Stage: StageTimes]]
    ) async throws(RefreshError) {
        try await pass("recordTimes") { () throws(RefreshError) in
            try await base.recordTimes(times)
        }
    }

    func observe(activeWindow: Duration) async throws(RefreshError) -> StoreObservation {
        try await pass("observe") { () throws(RefreshError) in
            try await base.observe(activeWindow: activeWindow)
        }
    }

    func recordReads(
        _ keys: [Key], counts: [ResourceName: ReadCounts]
    ) async throws(RefreshError) {
        try await pass("recordReads") { () throws(RefreshError) in
            try await base.recordReads(keys, counts: counts)
        }
    }

    func lead(_ candidate: String, lease: Duration) async throws(RefreshError) -> Bool {
        try await base.lead(candidate, lease: lease)
    }

    func resign(_ candidate: String) async throws(RefreshError) {
        try await base.resign(candidate)
    }

    func fire(_ resource: ResourceName, slot: Timestamp) async throws(RefreshError) -> Bool {
        try await base.fire(resource, slot: slot)
    }

    func lastFired(_ resource: ResourceName) async throws(RefreshError) -> Timestamp? {
        try await base.lastFired(resource)
    }

    func now() async throws(RefreshError) -> Timestamp { try await base.now() }

    func read(_ key: Key, held: Int64?) async throws(RefreshError) -> KeyRead {
        try await pass("read") { () throws(RefreshError) in try await base.read(key, held: held) }
    }

    func statuses(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus] {
        try await pass("statuses") { () throws(RefreshError) in try await base.statuses(keys) }
    }

    func keys(cursor: String?, limit: Int) async throws(RefreshError) -> Page<Key> {
        try await pass("keys") { () throws(RefreshError) in
            try await base.keys(cursor: cursor, limit: limit)
        }
    }

    func job(_ id: JobID) async throws(RefreshError) -> Job? {
        try await pass("job") { () throws(RefreshError) in try await base.job(id) }
    }

    func jobs(
        states: Set<JobState>, cursor: String?, limit: Int
    ) async throws(RefreshError) -> Page<Job> {
        try await pass("jobs") { () throws(RefreshError) in
            try await base.jobs(states: states, cursor: cursor, limit: limit)
        }
    }

    func queue() async throws(RefreshError) -> QueueStatus {
        try await pass("queue") { () throws(RefreshError) in try await base.queue() }
    }

    func statistics() async throws(RefreshError) -> [ResourceName: RefreshStatistics] {
        try await pass("statistics") { () throws(RefreshError) in try await base.statistics() }
    }

    func events(after id: EventID, limit: Int) async throws(RefreshError) -> [RefreshEvent]? {
        try await pass("events") { () throws(RefreshError) in
            try await base.events(after: id, limit: limit)
        }
    }

    func latestEvents() async throws(RefreshError) -> [EventID] {
        try await pass("latestEvents") { () throws(RefreshError) in try await base.latestEvents() }
    }
}

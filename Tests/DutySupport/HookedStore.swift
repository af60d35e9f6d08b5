package import Coordination
package import FreshetModel
internal import Synchronization

/// A store that counts calls, and fails or changes them as a test says.
package final class HookedStore: RefreshStore {
    /// What a hook makes of a call.
    package enum Verdict: Sendable {
        case pass
        /// It fails and nothing happened.
        case fail
        /// It happens and the reply is lost.
        case loseReply
    }

    private struct State {
        var calls: [String: Int] = [:]
        var hook: @Sendable (String, Int) -> Verdict = { _, _ in .pass }
        var heartbeat: (@Sendable ([Heartbeat]) -> [Bool]?)?
        var publish: (@Sendable (Publication) -> PublicationOutcome?)?
        var heartbeats: [Heartbeat] = []
        var claims: [ClaimRequest] = []
        var requests: [RefreshRequest] = []
    }
    private let state = Mutex(State())
    package let base: any RefreshStore

    package init(_ base: any RefreshStore) { self.base = base }

    /// Decides over each call, by its name and its number from 1.
    package func decide(_ hook: @escaping @Sendable (String, Int) -> Verdict) {
        state.withLock { $0.hook = hook }
    }

    /// Answers heartbeats itself, unless it returns `nil`.
    package func answerHeartbeats(_ answer: @escaping @Sendable ([Heartbeat]) -> [Bool]?) {
        state.withLock { $0.heartbeat = answer }
    }

    /// Answers publications itself, unless it returns `nil`.
    package func answerPublications(
        _ answer: @escaping @Sendable (Publication) -> PublicationOutcome?
    ) {
        state.withLock { $0.publish = answer }
    }

    /// How often `call` was called.
    package func calls(_ call: String) -> Int { state.withLock { $0.calls[call] ?? 0 } }

    package var heartbeats: [Heartbeat] { state.withLock { $0.heartbeats } }
    package var claims: [ClaimRequest] { state.withLock { $0.claims } }
    package var requests: [RefreshRequest] { state.withLock { $0.requests } }

    private func pass<Answer>(
        _ name: String, _ body: () async throws(RefreshError) -> Answer
    ) async throws(RefreshError) -> Answer {
        let (hook, count) = state.withLock { state in
            state.calls[name, default: 0] += 1
            return (state.hook, state.calls[name] ?? 0)
        }
        switch hook(name, count) {
        case .pass: return try await body()
        case .fail: throw RefreshError(.redisUnavailable, "hooked \(name)", effect: .none)
        case .loseReply:
            _ = try await body()
            throw RefreshError(.redisUnavailable, "hooked reply of \(name)", effect: .unknown)
        }
    }

    // MARK: RefreshStore

    package var partitions: Int { base.partitions }

    package func request(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        state.withLock { $0.requests.append(request) }
        return try await pass("request") { () throws(RefreshError) in
            try await base.request(request)
        }
    }

    package func requestMany(
        _ requests: [RefreshRequest]
    ) async throws(RefreshError) -> [RequestOutcome] {
        state.withLock { $0.requests += requests }
        return try await pass("requestMany") { () throws(RefreshError) in
            try await base.requestMany(requests)
        }
    }

    package func expire(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        try await base.expire(request)
    }

    package func purge(_ key: Key, keepJobs: Duration) async throws(RefreshError) {
        try await base.purge(key, keepJobs: keepJobs)
    }

    package func cancel(
        _ job: JobID, keepJobs: Duration
    ) async throws(RefreshError) -> CancelOutcome {
        try await base.cancel(job, keepJobs: keepJobs)
    }

    package func setPaused(_ isPaused: Bool) async throws(RefreshError) {
        try await base.setPaused(isPaused)
    }

    package func claim(_ request: ClaimRequest) async throws(RefreshError) -> ClaimBatch {
        state.withLock { $0.claims.append(request) }
        return try await pass("claim") { () throws(RefreshError) in try await base.claim(request) }
    }

    package func heartbeat(_ heartbeats: [Heartbeat]) async throws(RefreshError) -> [Bool] {
        let answer = state.withLock { state in
            state.heartbeats += heartbeats
            return state.heartbeat
        }
        if let answered = answer?(heartbeats) { return answered }
        return try await pass("heartbeat") { () throws(RefreshError) in
            try await base.heartbeat(heartbeats)
        }
    }

    package func publish(
        _ publication: Publication, claimNext next: ClaimRequest?
    ) async throws(RefreshError) -> (outcome: PublicationOutcome, next: ClaimBatch) {
        if let answered = state.withLock({ $0.publish })?(publication) {
            return (answered, ClaimBatch())
        }
        return try await pass("publish") { () throws(RefreshError) in
            try await base.publish(publication, claimNext: next)
        }
    }

    package func fail(_ failure: AttemptFailure) async throws(RefreshError) -> FailureOutcome {
        try await pass("fail") { () throws(RefreshError) in try await base.fail(failure) }
    }

    package func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool
    ) async throws(RefreshError) -> Bool {
        try await pass("handBack") { () throws(RefreshError) in
            try await base.handBack(claim, delay: delay, isSourceAway: isSourceAway)
        }
    }

    package func release(_ claim: Claim) async throws(RefreshError) {
        try await pass("release") { () throws(RefreshError) in try await base.release(claim) }
    }

    package func takeSlots(
        _ slots: [Slot], maximum: Int
    ) async throws(RefreshError) -> [Bool] {
        try await pass("takeSlots") { () throws(RefreshError) in
            try await base.takeSlots(slots, maximum: maximum)
        }
    }

    package func giveBackSlots(_ slots: [Slot]) async throws(RefreshError) {
        try await pass("giveBackSlots") { () throws(RefreshError) in
            try await base.giveBackSlots(slots)
        }
    }

    package func waitForWork(timeout: Duration) async throws(RefreshError) {
        try await pass("waitForWork") { () throws(RefreshError) in
            try await base.waitForWork(timeout: timeout)
        }
    }

    package func cancellations() -> AsyncStream<String> { base.cancellations() }

    package func announce(
        _ worker: WorkerPresence, timeout: Duration
    ) async throws(RefreshError) {
        try await pass("announce") { () throws(RefreshError) in
            try await base.announce(worker, timeout: timeout)
        }
    }

    package func withdraw(worker id: String) async throws(RefreshError) {
        try await pass("withdraw") { () throws(RefreshError) in
            try await base.withdraw(worker: id)
        }
    }

    package func maintain(
        partition: Int, keepJobs: Duration, atMostEvery interval: Duration
    ) async throws(RefreshError) -> MaintenanceReport {
        try await pass("maintain") { () throws(RefreshError) in
            try await base.maintain(
                partition: partition, keepJobs: keepJobs, atMostEvery: interval)
        }
    }

    package func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration
    ) async throws(RefreshError) -> (keys: [(key: Key, version: Int64)], looked: Int) {
        try await pass("staleKeys") { () throws(RefreshError) in
            try await base.staleKeys(limit: limit, activeWindow: activeWindow, coolDown: coolDown)
        }
    }

    package func recordTimes(
        _ times: [ResourceName: [StageTimes.Stage: StageTimes]]
    ) async throws(RefreshError) {
        try await pass("recordTimes") { () throws(RefreshError) in
            try await base.recordTimes(times)
        }
    }

    package func observe(activeWindow: Duration) async throws(RefreshError) -> StoreObservation {
        try await pass("observe") { () throws(RefreshError) in
            try await base.observe(activeWindow: activeWindow)
        }
    }

    package func recordReads(
        _ keys: [Key], counts: [ResourceName: ReadCounts]
    ) async throws(RefreshError) {
        try await base.recordReads(keys, counts: counts)
    }

    package func lead(_ candidate: String, lease: Duration) async throws(RefreshError) -> Bool {
        try await pass("lead") { () throws(RefreshError) in
            try await base.lead(candidate, lease: lease)
        }
    }

    package func resign(_ candidate: String) async throws(RefreshError) {
        try await pass("resign") { () throws(RefreshError) in try await base.resign(candidate) }
    }

    package func fire(
        _ resource: ResourceName, slot: Timestamp
    ) async throws(RefreshError) -> Bool {
        try await pass("fire") { () throws(RefreshError) in
            try await base.fire(resource, slot: slot)
        }
    }

    package func lastFired(_ resource: ResourceName) async throws(RefreshError) -> Timestamp? {
        try await base.lastFired(resource)
    }

    package func now() async throws(RefreshError) -> Timestamp { try await base.now() }

    package func read(_ key: Key, held: Int64?) async throws(RefreshError) -> KeyRead {
        try await pass("read") { () throws(RefreshError) in try await base.read(key, held: held) }
    }

    package func statuses(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus] {
        try await base.statuses(keys)
    }

    package func keys(cursor: String?, limit: Int) async throws(RefreshError) -> Page<Key> {
        try await base.keys(cursor: cursor, limit: limit)
    }

    package func job(_ id: JobID) async throws(RefreshError) -> Job? { try await base.job(id) }

    package func jobs(
        states: Set<JobState>, cursor: String?, limit: Int
    ) async throws(RefreshError) -> Page<Job> {
        try await base.jobs(states: states, cursor: cursor, limit: limit)
    }

    package func queue() async throws(RefreshError) -> QueueStatus { try await base.queue() }

    package func statistics() async throws(RefreshError) -> [ResourceName: RefreshStatistics] {
        try await base.statistics()
    }

    package func feed() -> AsyncStream<FeedItem> { base.feed() }

    package func events(
        after id: EventID, limit: Int
    ) async throws(RefreshError) -> [RefreshEvent]? {
        try await base.events(after: id, limit: limit)
    }

    package func latestEvents() async throws(RefreshError) -> [EventID] {
        try await base.latestEvents()
    }
}

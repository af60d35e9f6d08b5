public import FreshetModel

/// Where keys, jobs and payloads live: one method per transition, and the doc comment is the rule.
///
/// Two implementations obey one conformance suite: `MemoryRefreshStore`, the executable
/// specification, and `RedisRefreshStore`, whose transitions are one Lua script each.
///
/// A key's refresh is in one of these places, and in one only:
///
///                 ┌────────── request ──────────┐ (delay)
///                 ▼                             ▼
///       idle ─► waiting ◄──── promote ─────  delayed ◄── fail (attempts left: retrying)
///        ▲        │ ▲                                      ▲
///        │  claim │ │ hand back, reap (to the old place)   │
///        │        ▼ │                                      │
///        └─────  leased ───────────────────────────────────┘
///      publish,     │
///      cancel       └─► dead (no attempt left, permanent failure, third lost lease in a row)
///
/// Invariants, over all processes and crashes:
/// 1. A key is in at most one of waiting, delayed and leased; so it has at most one live job, plus
///    at most one rerun that is only a number in its record.
/// 2. `fence` and `version` of a key never fall; a write under a claim succeeds only while fence and
///    nonce are those of the live lease, so at most one publication per lease takes effect.
/// 3. Payload, record, place and event change in one step or not at all.
/// 4. Every transition is idempotent under its token: a repeat after a lost reply gives the same
///    answer and no second effect. (`request` is idempotent by joining.)
/// 5. All times are Redis' clock. A lease's deadline is never further away than its length.
/// 6. Two sources of one key never run side by side, but for one that outlives its lease: a key
///    whose running job was cancelled is not claimed until its worker has released it, or the
///    lease, which the worker goes on renewing while the source ends, has run out.
/// 7. With a cap, at most that many sources run at once over all partitions, again but for those
///    that outlive their lease: in one partition, leases and cancelled sources that have not ended
///    are counted; in several, a source runs only while its worker has a slot of the first one.
public protocol RefreshStore: Sendable {
    /// How many partitions there are. A key's partition is `key.partition(of:)`.
    var partitions: Int { get }

    // MARK: asking

    /// Queues a refresh or joins the one under way.
    ///
    /// - Idle or failed key: a new job, `started`, run = max(last run + 1, µs of the clock); waiting
    ///   with a new sequence number in its class, or delayed by `delay`. A failed key leaves the
    ///   dead letters. `read` and `monitor` get `notNeeded` when the kept version is above
    ///   `seenVersion`, and `coolingDown` when the key failed less than `coolDown` ago. New jobs
    ///   past `maximumQueue` waiting get `queueFull`.
    /// - An accepted `seenVersion` above the key's version is remembered: the next payload gets a
    ///   version above it.
    /// - Waiting: join, `queued`. The higher priority is taken (sequence number kept), scopes unite.
    /// - Delayed (not retrying): join. The earlier time is taken; `ask` without delay makes it
    ///   waiting at once. `read`, `monitor` and `schedule` leave the time alone.
    /// - Retrying: join. `ask` without delay ends the wait: waiting, attempt count kept, at the back.
    /// - Leased: join, `running`, with how long it has been running. With `force`: one rerun is
    ///   noted (or the noted one joined: priority, scope), receipt `queued` with the rerun's id,
    ///   `isRerun`, no position. Scope without force while running changes nothing.
    ///
    /// Emits `queued` when a job is new or its place, time or priority changes, with `runAt` while
    /// it is delayed or retrying.
    func request(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome

    /// `request` for many keys in few round trips, answers in order. Each key is atomic by itself.
    func requestMany(_ requests: [RefreshRequest]) async throws(RefreshError) -> [RequestOutcome]

    /// Marks the kept payload stale, keeps serving it, and requests a refresh, in one step; with
    /// `queueFull` neither.
    ///
    /// Emits `expired` (when something is kept), then as `request`.
    func expire(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome

    /// Removes the payload for good and cancels any job and rerun, as `cancel` does. `version` is
    /// remembered.
    ///
    /// Emits `cancelled` for each job ended, then `purged`. Nothing to do is a success.
    func purge(_ key: Key, keepJobs: Duration) async throws(RefreshError)

    /// Ends a job: waiting or delayed is removed; running loses its lease, so that it cannot
    /// publish, and its worker is told through `cancellations`. A noted rerun is only forgotten;
    /// cancelling the running job makes its rerun waiting. The key is idle after, and the job over
    /// for everybody who asks; a job that follows waits in its place, and is passed over by claims
    /// until `release` or the end of the cancelled lease.
    ///
    /// Emits `cancelled`, and `queued` for a rerun.
    func cancel(_ job: JobID, keepJobs: Duration) async throws(RefreshError) -> CancelOutcome

    /// Stops claims of all workers until `resume`; running jobs go on.
    func setPaused(_ isPaused: Bool) async throws(RefreshError)

    // MARK: working

    /// Moves waiting jobs to the leased set and grants their leases.
    ///
    /// First promotes what is due. Takes the lowest scores, at most `limit`, respecting pause and
    /// `maximumConcurrent`, and passes over keys whose cancelled source may still run. Fence = max(last + 1, version + 1, µs of the clock); nonce random;
    /// attempt + 1. A member without a record (evicted) is claimed as a plain job of that key.
    /// Emits one entry of `running` events.
    func claim(_ request: ClaimRequest) async throws(RefreshError) -> ClaimBatch

    /// Renews leases by their full length from now, and records progress.
    ///
    /// - Returns: For each heartbeat whether the lease is still held. `false`: stop the source.
    ///   A lease past its deadline that nobody reaped is renewed. So is that of a cancelled job, for
    ///   which the answer is `false`: its source is ending.
    /// Emits `progress` for those that bring some.
    func heartbeat(_ heartbeats: [Heartbeat]) async throws(RefreshError) -> [Bool]

    /// Ends the job with success: payload, record, event, counters and averages in one step, and
    /// claims the next jobs in the same round trip when `next` is given (same partition).
    ///
    /// Version + 1 with a payload; a renewal keeps version and content, sets `refreshedAt` and
    /// freshness. `modifiedAt` changes only when `contentTag` does. A noted rerun becomes waiting at
    /// the back of its class. Clears error, failures, lost leases. Beyond `maximumVariants` the
    /// least recently read keys of the resource without a job lose payload and record.
    /// Emits `updated`, and `queued` for a rerun.
    func publish(
        _ publication: Publication, claimNext next: ClaimRequest?
    ) async throws(RefreshError) -> (outcome: PublicationOutcome, next: ClaimBatch)

    /// Ends the attempt with failure: retrying (delayed until `retryAfter`, then waiting at the
    /// back) or dead. A dead job's rerun becomes waiting. The kept payload stays.
    ///
    /// Emits `retrying` or `failed`.
    func fail(_ failure: AttemptFailure) async throws(RefreshError) -> FailureOutcome

    /// Gives a job back unharmed: to its old place, attempt not counted, claimable after `delay`.
    ///
    /// - Parameter isSourceAway: It is given back because its source cannot be reached, which its
    ///   status then says.
    /// - Returns: `false` when the lease was lost before.
    /// Emits `queued`.
    func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool
    ) async throws(RefreshError) -> Bool

    /// Tells that the source of a cancelled claim has ended, so that its key may be claimed again.
    /// Of any other claim, and when told again, nothing is changed.
    func release(_ claim: Claim) async throws(RefreshError)

    /// Takes slots under a cap that counts over all partitions, or renews those the caller has.
    ///
    /// Where there is one partition, `ClaimRequest.maximumConcurrent` is exact and cheaper. A slot
    /// ends by itself when it is not renewed within its lease, so a worker that dies, or that lost
    /// the reply, blocks nobody for longer; taking the same slots again is harmless.
    ///
    /// - Returns: For each slot whether the caller has it now; `false`: it was not had, or its lease
    ///   ended and others took all there is. At most `maximum` slots are live at any time.
    func takeSlots(_ slots: [Slot], maximum: Int) async throws(RefreshError) -> [Bool]

    /// Gives slots back, had or not.
    func giveBackSlots(_ slots: [Slot]) async throws(RefreshError)

    /// Waits until there may be something to claim in one of all partitions, or `timeout` passed.
    /// One waiting worker is woken per new job, and chained: who claims while more wait wakes the
    /// next.
    func waitForWork(timeout: Duration) async throws(RefreshError)

    /// Nonces of leases that were taken away (cancel, purge), as they happen. A hint: heartbeats
    /// tell the same later.
    func cancellations() -> AsyncStream<String>

    /// Tells that a worker is alive; it counts for `timeout`. Estimates use the live capacity.
    func announce(_ worker: WorkerPresence, timeout: Duration) async throws(RefreshError)

    /// Forgets a worker that ends.
    func withdraw(worker id: String) async throws(RefreshError)

    // MARK: upkeep

    /// Promotes due jobs, returns jobs whose lease ended to their old place without counting the
    /// attempt (the third lost lease in a row makes it dead), lets keys be claimed whose cancelled
    /// source was not heard of within its lease, clamps deadlines further away than their lease,
    /// mends half-states; at most `Limits.scriptMembers` of each. Drops at most 20 payloads past
    /// `keepFor`, whatever their job does.
    ///
    /// Emits `queued` or `failed` for lost leases, `purged` for dropped payloads.
    ///
    /// - Parameter interval: Nothing is done, and the report is empty, when somebody's round ended
    ///   less than that ago and left nothing over; so that many processes may call it often.
    func maintain(
        partition: Int, keepJobs: Duration, atMostEvery interval: Duration
    ) async throws(RefreshError) -> MaintenanceReport

    /// Stale keys without a job, oldest first, at most `limit`, that were read within
    /// `activeWindow` (zero: all). A key that was not is left out until it is read again. A failed
    /// key is left out until its cool-down has passed since its end.
    func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration
    ) async throws(RefreshError) -> (keys: [(key: Key, version: Int64)], looked: Int)

    /// Tells when keys were read: for `activeWindow` and `maximumVariants`, and counts.
    func recordReads(
        _ keys: [Key], counts: [ResourceName: ReadCounts]
    ) async throws(RefreshError)

    /// Becomes or stays leader of the schedulers for `lease`.
    func lead(_ candidate: String, lease: Duration) async throws(RefreshError) -> Bool

    /// Gives the lead up, when it is held.
    func resign(_ candidate: String) async throws(RefreshError)

    /// Notes that `resource`'s schedule fired for `slot`; `false` when it had fired for that slot or
    /// a later one. The first call for a schedule notes `slot` and is `true`.
    func fire(_ resource: ResourceName, slot: Timestamp) async throws(RefreshError) -> Bool

    /// When `resource`'s schedule fired last; `nil` when never.
    func lastFired(_ resource: ResourceName) async throws(RefreshError) -> Timestamp?

    // MARK: seeing

    /// The clock of the store.
    func now() async throws(RefreshError) -> Timestamp

    /// Status and payload in one consistent view; no bytes when the kept version is `held`.
    func read(_ key: Key, held: Int64?) async throws(RefreshError) -> KeyRead

    /// Everything about the keys, in order.
    func statuses(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus]

    /// Keys that have a payload or a job. A key present throughout is listed once.
    func keys(cursor: String?, limit: Int) async throws(RefreshError) -> Page<Key>

    /// A job, live or ended less than its `keepJobs` ago; `nil` when unknown.
    func job(_ id: JobID) async throws(RefreshError) -> Job?

    /// Jobs in one of `states` (empty: all): waiting ones in queue order, ended ones latest first. A
    /// rerun is `queued` and stands behind the job it follows.
    func jobs(
        states: Set<JobState>, cursor: String?, limit: Int
    ) async throws(RefreshError) -> Page<Job>

    /// The queue at a glance.
    func queue() async throws(RefreshError) -> QueueStatus

    /// Adds to the times of all workers.
    func recordTimes(
        _ times: [ResourceName: [StageTimes.Stage: StageTimes]]
    ) async throws(RefreshError)

    /// Times of all workers, and how stale what is read has become.
    ///
    /// - Parameter activeWindow: A key that nobody read for so long is stale on purpose; zero: none is.
    func observe(activeWindow: Duration) async throws(RefreshError) -> StoreObservation

    /// Counters, per resource.
    func statistics() async throws(RefreshError) -> [ResourceName: RefreshStatistics]

    /// What happens from the call on, all partitions; `suspect` at the start of each partition's
    /// subscription and whenever something may have been missed. One connection per process
    /// serves all feeds.
    func feed() -> AsyncStream<FeedItem>

    /// Events of `id`'s partition after it, oldest first; `nil` when some are gone already.
    func events(after id: EventID, limit: Int) async throws(RefreshError) -> [RefreshEvent]?

    /// The position of the latest event of each partition.
    func latestEvents() async throws(RefreshError) -> [EventID]
}

extension RefreshStore {
    /// A round of maintenance, whenever the one before was.
    package func maintain(
        partition: Int, keepJobs: Duration
    ) async throws(RefreshError) -> MaintenanceReport {
        try await maintain(partition: partition, keepJobs: keepJobs, atMostEvery: .zero)
    }

    /// Gives a job back for a reason that tells nothing about its source.
    public func handBack(_ claim: Claim, delay: Duration) async throws(RefreshError) -> Bool {
        try await handBack(claim, delay: delay, isSourceAway: false)
    }
}

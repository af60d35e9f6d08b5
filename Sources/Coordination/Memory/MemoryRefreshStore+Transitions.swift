public import FreshetModel

// Each method finds the partition and runs the transition of the same name in `MemoryState`.

extension MemoryRefreshStore {
    /// See `RefreshStore.request`.
    public func request(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        change(request.key) { $0.request(request, at: $1) }
    }

    /// See `RefreshStore.requestMany`.
    public func requestMany(
        _ requests: [RefreshRequest]
    ) async throws(RefreshError) -> [RequestOutcome] {
        requests.map { request in change(request.key) { $0.request(request, at: $1) } }
    }

    /// See `RefreshStore.expire`.
    public func expire(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        change(request.key) { $0.expire(request, at: $1) }
    }

    /// See `RefreshStore.purge`.
    public func purge(_ key: Key, keepJobs: Duration) async throws(RefreshError) {
        change(key) { $0.purge(key, keepJobs: keepJobs, at: $1) }
    }

    /// See `RefreshStore.cancel`.
    public func cancel(
        _ job: JobID, keepJobs: Duration
    ) async throws(RefreshError) -> CancelOutcome {
        change(job.key) { $0.cancel(job, keepJobs: keepJobs, at: $1) }
    }

    /// See `RefreshStore.setPaused`.
    public func setPaused(_ isPaused: Bool) async throws(RefreshError) {
        for partition in 0..<partitions {
            change(partition: partition) { state, _ in
                state.isPaused = isPaused
                if !isPaused { state.outbox.wakes = true }
            }
        }
    }

    /// See `RefreshStore.claim`.
    public func claim(_ request: ClaimRequest) async throws(RefreshError) -> ClaimBatch {
        change(partition: request.partition) { state, now in
            state.claim(request, at: now, nonces: freshNonce)
        }
    }

    /// See `RefreshStore.heartbeat`.
    public func heartbeat(_ heartbeats: [Heartbeat]) async throws(RefreshError) -> [Bool] {
        var held = [Bool](repeating: false, count: heartbeats.count)
        for partition in 0..<partitions {
            let own = heartbeats.indices.filter {
                heartbeats[$0].claim.key.partition(of: partitions) == partition
            }
            guard !own.isEmpty else { continue }
            let answers = change(partition: partition) { state, now in
                state.heartbeat(own.map { heartbeats[$0] }, at: now)
            }
            for (index, answer) in zip(own, answers) { held[index] = answer }
        }
        return held
    }

    /// See `RefreshStore.publish`.
    public func publish(
        _ publication: Publication, claimNext next: ClaimRequest?
    ) async throws(RefreshError) -> (outcome: PublicationOutcome, next: ClaimBatch) {
        let outcome = change(publication.claim.key) { $0.publish(publication, at: $1) }
        guard let next else { return (outcome, ClaimBatch()) }
        return (outcome, try await claim(next))
    }

    /// See `RefreshStore.fail`.
    public func fail(_ failure: AttemptFailure) async throws(RefreshError) -> FailureOutcome {
        change(failure.claim.key) { $0.fail(failure, at: $1) }
    }

    /// See `RefreshStore.handBack`.
    public func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool
    ) async throws(RefreshError) -> Bool {
        change(claim.key) {
            $0.handBack(claim, delay: delay, isSourceAway: isSourceAway, at: $1)
        }
    }

    /// See `RefreshStore.release`.
    public func release(_ claim: Claim) async throws(RefreshError) {
        change(claim.key) { state, _ in state.release(claim) }
    }

    /// See `RefreshStore.takeSlots`. The first partition knows them all.
    public func takeSlots(
        _ slots: [Slot], maximum: Int
    ) async throws(RefreshError) -> [Bool] {
        change(partition: 0) { $0.slots.take(slots, maximum: max(0, maximum), at: $1) }
    }

    /// See `RefreshStore.giveBackSlots`.
    public func giveBackSlots(_ slots: [Slot]) async throws(RefreshError) {
        change(partition: 0) { state, _ in state.slots.giveBack(slots) }
    }

    /// See `RefreshStore.announce`. Every partition knows every worker.
    public func announce(
        _ worker: WorkerPresence, timeout: Duration
    ) async throws(RefreshError) {
        for partition in 0..<partitions {
            change(partition: partition) { $0.announce(worker, until: $1 + timeout, at: $1) }
        }
    }

    /// See `RefreshStore.withdraw`.
    public func withdraw(worker id: String) async throws(RefreshError) {
        for partition in 0..<partitions {
            change(partition: partition) { $0.withdraw(worker: id, at: $1) }
        }
    }

    /// See `RefreshStore.maintain`.
    public func maintain(
        partition: Int, keepJobs: Duration, atMostEvery interval: Duration
    ) async throws(RefreshError) -> MaintenanceReport {
        change(partition: partition) {
            $0.maintain(keepJobs: keepJobs, atMostEvery: interval, at: $1)
        }
    }

    /// See `RefreshStore.staleKeys`.
    public func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration
    ) async throws(RefreshError) -> (keys: [(key: Key, version: Int64)], looked: Int) {
        var found: [(key: Key, version: Int64, since: Timestamp)] = []
        var looked = 0
        for partition in 0..<partitions {
            let part = change(partition: partition) { state, now in
                state.staleKeys(
                    limit: limit, activeWindow: activeWindow, coolDown: coolDown, at: now)
            }
            found += part.keys
            looked += part.looked
        }
        found.sort { $0.since < $1.since }
        return (found.prefix(limit).map { ($0.key, $0.version) }, looked)
    }

    /// See `RefreshStore.recordReads`. The first partition carries the counters.
    public func recordReads(
        _ keys: [Key], counts: [ResourceName: ReadCounts]
    ) async throws(RefreshError) {
        for key in keys { change(key) { $0.recordRead(key, at: $1) } }
        change(partition: 0) { state, _ in
            for (resource, reads) in counts { state.count(reads, of: resource) }
        }
    }

    /// See `RefreshStore.lead`. The first partition knows the leader and the schedules.
    public func lead(_ candidate: String, lease: Duration) async throws(RefreshError) -> Bool {
        change(partition: 0) { $0.lead(candidate, lease: lease, at: $1) }
    }

    /// See `RefreshStore.resign`.
    public func resign(_ candidate: String) async throws(RefreshError) {
        change(partition: 0) { state, _ in state.resign(candidate) }
    }

    /// See `RefreshStore.fire`.
    public func fire(
        _ resource: ResourceName, slot: Timestamp
    ) async throws(RefreshError) -> Bool {
        change(partition: 0) { state, _ in state.fire(resource, slot: slot) }
    }
}

internal import FreshetModel

/// What workers and schedulers do beside the jobs.
extension MemoryState {
    /// See `RefreshStore.maintain`.
    mutating func maintain(
        keepJobs: Duration, atMostEvery interval: Duration, at now: Timestamp
    ) -> MaintenanceReport {
        var report = MaintenanceReport()
        // A time in the future is left from a clock that stepped back.
        if let maintainedAt, maintainedAt <= now, now - maintainedAt < interval { return report }
        var events: [RefreshEvent] = []
        report.promoted = promote(at: now)
        for key in leased.members(upTo: now, limit: Limits.scriptMembers) {
            guard let job = records[key]?.job else { continue }
            let id = JobID(run: job.run, key: key)
            records[key]?.job?.lostLeases += 1
            if job.lostLeases + 1 >= Limits.lostLeases {
                let error =
                    "the lease was lost \(job.lostLeases + 1) times in a row: "
                    + "the worker died or hung"
                _ = endAttempt(key, at: now)
                countFailure(key, error: error)
                events += bury(key, error: error, keepJobs: keepJobs, at: now)
                report.dead.append(id)
            } else {
                events.append(giveBack(key, delay: .zero, at: now))
                report.reaped.append(id)
            }
        }
        report.repaired = clampDeadlines(at: now)
        for key in stopping.members(upTo: now, limit: Limits.scriptMembers) { free(key) }
        for element in stopping.elements.suffix(20) {
            let lease = records[element.member]?.stopping?.length ?? .zero
            guard element.score > now + lease else { continue }
            stopping.insert(element.member, at: now + lease)
            report.repaired += 1
        }
        for key in kept.members(upTo: now, limit: 20) {
            dropPayload(key)
            events.append(event(.purged, key))
        }
        emit(events, at: now)
        maintainedAt = report.isFull ? nil : now
        return report
    }

    /// A clock that stepped back leaves deadlines further away than their lease; how many.
    private mutating func clampDeadlines(at now: Timestamp) -> Int {
        var count = 0
        for element in leased.elements.suffix(20) {
            guard case .leased(var lease) = records[element.member]?.phase,
                lease.deadline > now + lease.length
            else { continue }
            lease.deadline = now + lease.length
            move(element.member, to: .leased(lease), at: now)
            count += 1
        }
        return count
    }

    /// Beyond `maximum` keys of a resource the least recently read without a job go, at most ten;
    /// their events.
    mutating func evict(
        _ resource: ResourceName, beyond maximum: Int, sparing spared: Key, at now: Timestamp
    ) -> [RefreshEvent] {
        guard let seen = reads[resource] else { return [] }
        let excess = min(10, seen.count - maximum)
        guard excess > 0 else { return [] }
        let victims = seen.elements.prefix(excess + 10).map(\.member)
            .filter { $0 != spared && records[$0]?.isUnderWay == false }
            .prefix(excess)
        return victims.map { key in
            forget(key, at: now)
            return event(.purged, key)
        }
    }

    /// Stale keys without a job, in the order of `due`, with the time they went stale.
    ///
    /// See `RefreshStore.staleKeys`; the shell merges the partitions.
    mutating func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration, at now: Timestamp
    ) -> (keys: [(key: Key, version: Int64, since: Timestamp)], looked: Int) {
        var found: [(key: Key, version: Int64, since: Timestamp)] = []
        var looked = 0
        for key in due.members(upTo: now, limit: Limits.scriptMembers) {
            guard found.count < limit else { break }
            looked += 1
            guard let record = records[key] else { continue }
            let read = reads[key.resource]?.score(of: key) ?? Timestamp(milliseconds: 0)
            if case .dead = record.phase, let ended = record.lastEnd, now - ended < coolDown {
                due.insert(key, at: ended + coolDown)
            } else if activeWindow > .zero, now - read > activeWindow {
                due.remove(key)
            } else {
                found.append((key, record.version, record.metadata?.freshUntil ?? now))
            }
        }
        return (found, looked)
    }

    /// See `RefreshStore.recordReads`.
    mutating func recordRead(_ key: Key, at now: Timestamp) {
        guard let record = records[key], let metadata = record.metadata else { return }
        reads[key.resource]?.insert(key, at: now)
        // The monitor dropped it while nobody read it.
        if let freshUntil = metadata.freshUntil, !record.isUnderWay, !due.contains(key) {
            due.insert(key, at: freshUntil)
        }
    }

    /// See `RefreshStore.recordReads`.
    mutating func count(_ reads: ReadCounts, of resource: ResourceName) {
        guard reads != ReadCounts() else { return }
        statistics[resource, default: RefreshStatistics()].hits += reads.hits
        statistics[resource, default: RefreshStatistics()].misses += reads.misses
        statistics[resource, default: RefreshStatistics()].staleHits += reads.staleHits
    }

    /// See `RefreshStore.announce`.
    mutating func announce(_ worker: WorkerPresence, until: Timestamp, at now: Timestamp) {
        var worker = worker
        worker.lastSeen = now
        workers[worker.id] = (worker, until)
        forgetSilentWorkers(at: now)
    }

    /// See `RefreshStore.withdraw`.
    mutating func withdraw(worker id: String, at now: Timestamp) {
        workers[id] = nil
        forgetSilentWorkers(at: now)
    }

    /// A worker seen in the future is left from a clock that stepped back: it would live too long.
    private mutating func forgetSilentWorkers(at now: Timestamp) {
        workers = workers.filter { _, worker in
            let seen = worker.presence.lastSeen ?? now
            return worker.until >= now && seen - now <= .seconds(60)
        }
    }

    /// See `RefreshStore.lead`.
    mutating func lead(_ candidate: String, lease: Duration, at now: Timestamp) -> Bool {
        // Clamped, so that a clock that stepped back does not make a leader for ever.
        if let leader, leader.id != candidate, leader.until > now,
            leader.until <= now + leader.lease
        {
            return false
        }
        leader = MemoryLeader(id: candidate, until: now + lease, lease: lease)
        return true
    }

    /// See `RefreshStore.resign`.
    mutating func resign(_ candidate: String) {
        if leader?.id == candidate { leader = nil }
    }

    /// See `RefreshStore.fire`.
    mutating func fire(_ resource: ResourceName, slot: Timestamp) -> Bool {
        if let last = fired[resource], last >= slot { return false }
        fired[resource] = slot
        return true
    }
}

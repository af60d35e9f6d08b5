internal import FreshetModel

/// How jobs end, whoever ends them: cancel, purge, and what publish, fail and maintain share.
extension MemoryState {
    /// See `RefreshStore.cancel`.
    mutating func cancel(
        _ id: JobID, keepJobs: Duration, at now: Timestamp
    ) -> CancelOutcome {
        let key = id.key
        if records[key]?.rerun?.run == id.run {
            emit([cancelRerun(key, keepJobs: keepJobs, at: now)].compactMap { $0 }, at: now)
            return .removed
        }
        if let job = endedJob(id, at: now) { return .alreadyEnded(job.state) }
        guard let record = records[key], let job = record.job, job.run == id.run else {
            return .unknown
        }
        guard record.isUnderWay else { return .alreadyEnded(.dead) }
        var events = [cancelJob(key, keepJobs: keepJobs, at: now)]
        events += beginRerun(key, at: now)
        emit(events, at: now)
        if case .leased = record.phase { return .stopped }
        return .removed
    }

    /// See `RefreshStore.purge`.
    mutating func purge(_ key: Key, keepJobs: Duration, at now: Timestamp) {
        guard let record = records[key] else { return }
        let isSomething = record.metadata != nil || record.job != nil
        var events: [RefreshEvent] = []
        if record.isUnderWay {
            events.append(cancelJob(key, keepJobs: keepJobs, at: now))
            events += [cancelRerun(key, keepJobs: keepJobs, at: now)].compactMap { $0 }
        }
        forget(key, at: now)
        if isSomething { events.append(event(.purged, key)) }
        emit(events, at: now)
    }

    /// Drops payload and history of a key without a job; its version, run and fence stay.
    mutating func forget(_ key: Key, at now: Timestamp) {
        dropPayload(key)
        records[key]?.lastRefresh = nil
        records[key]?.lastEnd = nil
        records[key]?.lastDuration = nil
        records[key]?.error = nil
        records[key]?.failures = 0
        records[key]?.sourceOnline = true
        move(key, to: .idle, at: now)
    }

    /// Drops what is kept, whatever is under way.
    mutating func dropPayload(_ key: Key) {
        records[key]?.metadata = nil
        records[key]?.bytes = []
        kept.remove(key)
        due.remove(key)
        reads[key.resource]?.remove(key)
    }

    /// Ends the job under way as cancelled; the rerun is untouched.
    private mutating func cancelJob(
        _ key: Key, keepJobs: Duration, at now: Timestamp
    ) -> RefreshEvent {
        guard let record = records[key], let job = record.job else {
            preconditionFailure("\(key) has no job to cancel")
        }
        if case .leased(let lease) = record.phase { stopSource(key, lease, at: now) }
        keep(key, as: .cancelled, for: keepJobs, at: now)
        move(key, to: .idle, at: now)
        return event(.cancelled, key, run: job.run)
    }

    /// Takes a lease away and tells its worker. Until that says that the source has ended, or the
    /// lease would have, nobody else may claim the key: two sources of one key must not run side by
    /// side.
    private mutating func stopSource(_ key: Key, _ lease: MemoryLease, at now: Timestamp) {
        outbox.cancelled.append(lease.nonce)
        let deadline = min(lease.deadline, now + lease.length)
        guard deadline > now else { return }
        records[key]?.stopping = lease
        stopping.insert(key, at: deadline)
    }

    private mutating func cancelRerun(
        _ key: Key, keepJobs: Duration, at now: Timestamp
    ) -> RefreshEvent? {
        guard let rerun = records[key]?.rerun else { return nil }
        records[key]?.rerun = nil
        var job = Job(
            id: JobID(run: rerun.run, key: key), state: .cancelled, priority: rerun.priority)
        job.finishedAt = now
        keep(job, for: keepJobs, at: now)
        return event(.cancelled, key, run: rerun.run)
    }

    /// Makes a noted rerun the key's waiting job, at the back of its class; its event.
    mutating func beginRerun(_ key: Key, at now: Timestamp) -> [RefreshEvent] {
        guard let rerun = records[key]?.rerun else { return [] }
        records[key]?.rerun = nil
        records[key]?.job = MemoryJob(
            run: rerun.run, priority: rerun.priority, scope: rerun.scope, readyAt: now)
        enqueue(key, at: now)
        return [queued(key)]
    }

    /// Makes the job dead, or hands over to its rerun; the events.
    mutating func bury(
        _ key: Key, error: String, keepJobs: Duration, at now: Timestamp
    ) -> [RefreshEvent] {
        var failed = event(.failed, key, run: records[key]?.job?.run)
        failed.error = error
        failed.attempt = records[key]?.job?.attempt
        keep(key, as: .dead, for: keepJobs, at: now, error: error)
        guard records[key]?.rerun == nil else {
            move(key, to: .idle, at: now)
            return [failed] + beginRerun(key, at: now)
        }
        records[key]?.job?.progress = nil
        move(key, to: .dead, at: now)
        return [failed]
    }

    /// Notes how the attempt of a leased job ended: for status, counters and the job itself.
    mutating func endAttempt(_ key: Key, at now: Timestamp) -> Duration {
        let took = records[key]?.job?.startedAt.map { max(.zero, now - $0) } ?? .zero
        records[key]?.lastEnd = now
        records[key]?.lastDuration = took
        records[key]?.job?.duration = took
        records[key]?.job?.progress = nil
        return took
    }

    /// Counts a failed attempt.
    mutating func countFailure(_ key: Key, error: String) {
        records[key]?.error = error
        records[key]?.failures += 1
        statistics[key.resource, default: RefreshStatistics()].failedRefreshes += 1
        statistics[key.resource, default: RefreshStatistics()].totalRefreshes += 1
    }

    // MARK: ended jobs

    /// Keeps what can be asked about the key's job once it is over.
    mutating func keep(
        _ key: Key, as state: JobState, for keepJobs: Duration, at now: Timestamp,
        version: Int64? = nil, error: String? = nil
    ) {
        guard let record = records[key], let live = record.job else { return }
        var job = Job(
            id: JobID(run: live.run, key: key), state: state, priority: live.priority)
        job.attempt = live.attempt
        job.startedAt = live.startedAt
        job.finishedAt = now
        job.duration = live.duration ?? live.startedAt.map { max(.zero, now - $0) }
        job.version = version
        job.worker = live.worker
        job.error = error
        keep(job, for: keepJobs, at: now)
    }

    private mutating func keep(_ job: Job, for keepJobs: Duration, at now: Timestamp) {
        guard keepJobs > .zero else { return }
        let member = Self.member(job.id)
        endedJobs[member] = EndedMemoryJob(job: job, until: now + keepJobs)
        ended.insert(member, at: now)
        // Each ended job clears up to two that are past their time or over the cap.
        for _ in 0..<2 {
            guard let oldest = ended.elements.first?.member, let job = endedJobs[oldest],
                job.until <= now || ended.count > Limits.endedJobs
            else { return }
            ended.remove(oldest)
            endedJobs[oldest] = nil
        }
    }

    /// An ended job that can still be asked for.
    func endedJob(_ id: JobID, at now: Timestamp) -> Job? {
        endedJobs[Self.member(id)].flatMap { now < $0.until ? $0.job : nil }
    }

    /// `RUN-KEY`, which orders ended jobs of one moment as Redis does.
    private static func member(_ id: JobID) -> String { "\(id.run)-\(id.key.text)" }
}

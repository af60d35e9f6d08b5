internal import FreshetModel

/// What workers do: claim, renew, settle.
extension MemoryState {
    /// See `RefreshStore.claim`.
    ///
    /// - Parameter nonces: One random text per claim.
    mutating func claim(
        _ request: ClaimRequest, at now: Timestamp, nonces: () -> String
    ) -> ClaimBatch {
        var batch = ClaimBatch()
        _ = promote(at: now)
        maximumConcurrent = request.maximumConcurrent
        var limit = min(max(0, request.limit), Limits.scriptMembers)
        if let maximum = request.maximumConcurrent {
            // A cancelled source that has not ended runs still.
            limit = min(limit, maximum - leased.count - stopping.count)
        }
        if isPaused { limit = 0 }
        var events: [RefreshEvent] = []
        let first = waiting.elements.lazy
            .filter { [stopping] in (stopping.score(of: $0.member) ?? now) <= now }
            .prefix(max(0, limit))
        for element in Array(first) {
            free(element.member)
            let claim = grant(element.member, to: request, nonce: nonces(), at: now)
            var running = event(.running, claim.key, run: claim.jobID.run)
            running.attempt = claim.attempt
            events.append(running)
            batch.claims.append(claim)
        }
        emit(events, at: now)
        batch.waiting = waiting.count
        batch.untilNextDue = delayed.elements.first.map { max(.zero, $0.score - now) }
        batch.isPaused = isPaused
        // Chained: who claimed while more wait wakes the next.
        if !isPaused, !batch.claims.isEmpty, !waiting.isEmpty { outbox.wakes = true }
        return batch
    }

    private mutating func grant(
        _ key: Key, to request: ClaimRequest, nonce: String, at now: Timestamp
    ) -> Claim {
        guard var record = records[key], var job = record.job else {
            preconditionFailure("\(key) waits without a job")
        }
        let length = request.leases[key.resource] ?? request.lease
        record.fence = max(record.fence + 1, record.version + 1, now.microseconds)
        job.attempt += 1
        job.startedAt = now
        job.duration = nil
        job.worker = request.worker
        record.job = job
        records[key] = record
        let lease = MemoryLease(
            fence: record.fence, nonce: nonce, length: length, deadline: now + length)
        move(key, to: .leased(lease), at: now)
        return Claim(
            jobID: JobID(run: job.run, key: key), fence: lease.fence, nonce: nonce,
            attempt: job.attempt, scope: job.scope, priority: job.priority, lease: length,
            claimedAt: now, readyAt: job.readyAt, previous: record.kept(at: now),
            traceparent: job.traceparent)
    }

    /// See `RefreshStore.heartbeat`.
    mutating func heartbeat(_ heartbeats: [Heartbeat], at now: Timestamp) -> [Bool] {
        var events: [RefreshEvent] = []
        let held = heartbeats.map { beat in
            let key = beat.claim.key
            guard var lease = records[key]?.lease(of: beat.claim) else {
                // Its source is ending, and until it has nobody may claim the key.
                if records[key]?.stopping?.nonce == beat.claim.nonce {
                    stopping.insert(key, at: now + beat.claim.lease)
                }
                return false
            }
            lease.deadline = now + beat.claim.lease
            move(key, to: .leased(lease), at: now)
            if let progress = beat.progress?.bounded {
                records[key]?.job?.progress = progress
                var told = event(.progress, key, run: records[key]?.job?.run)
                told.progress = progress
                events.append(told)
            }
            return true
        }
        emit(events, at: now)
        return held
    }

    /// See `RefreshStore.publish`; the shell claims the next jobs.
    mutating func publish(_ publication: Publication, at now: Timestamp) -> PublicationOutcome {
        let claim = publication.claim
        let key = claim.key
        guard let record = records[key], record.lease(of: claim) != nil else {
            if case .published(let version) = records[key]?.answer(to: claim) {
                return .published(version: version)
            }
            return .leaseLost
        }
        let old = record.kept(at: now)
        var sourceBytes = 0
        switch publication.content {
        case .renewal:
            guard old != nil else { return .nothingToRenew }
        case .payload(let payload):
            sourceBytes = payload.facts.sizeBytes
            store(payload, of: key, over: old, at: now)
        }
        renew(key, publication, at: now)
        let took = endAttempt(key, at: now)
        countSuccess(key.resource, took: took, sourceBytes: sourceBytes, at: now)

        let version = records[key]?.version ?? 0
        records[key]?.lastRefresh = now
        records[key]?.error = nil
        records[key]?.failures = 0
        records[key]?.sourceOnline = true
        records[key]?.settled = .init(nonce: claim.nonce, answer: .published(version: version))
        var updated = event(.updated, key, run: claim.jobID.run)
        updated.isRenewal = publication.content == .renewal
        keep(key, as: .succeeded, for: publication.keepJobs, at: now, version: version)
        move(key, to: .idle, at: now)
        var events = [updated]
        events += beginRerun(key, at: now)
        events += evict(
            key.resource, beyond: publication.maximumVariants, sparing: key, at: now)
        emit(events, at: now)
        return .published(version: version)
    }

    private mutating func store(
        _ payload: Payload, of key: Key, over old: PayloadMetadata?, at now: Timestamp
    ) {
        let version = max(records[key]?.version ?? 0, records[key]?.seenVersion ?? 0) + 1
        let tag = payload.facts.contentTag
        let isSameContent = !tag.isEmpty && old?.facts.contentTag == tag
        records[key]?.version = version
        records[key]?.bytes = payload.bytes
        records[key]?.metadata = PayloadMetadata(
            version: version, contentType: payload.contentType, encoding: payload.encoding,
            storedBytes: payload.bytes.count, facts: payload.facts, refreshedAt: now,
            modifiedAt: isSameContent ? old?.modifiedAt ?? now : now, freshUntil: nil,
            keptUntil: nil)
    }

    /// Sets how long what is kept is fresh and kept, from now.
    private mutating func renew(_ key: Key, _ publication: Publication, at now: Timestamp) {
        let keptUntil = publication.keepFor.map { now + $0 }
        let freshUntil: Timestamp? =
            switch publication.freshFor {
            case .duration(let duration): now + max(.zero, duration)
            case .never: nil
            case .always: now
            }
        records[key]?.metadata?.refreshedAt = now
        records[key]?.metadata?.freshUntil = freshUntil
        records[key]?.metadata?.keptUntil = keptUntil
        if let keptUntil { kept.insert(key, at: keptUntil) } else { kept.remove(key) }
        var seen = reads[key.resource] ?? RankedSet()
        if !seen.contains(key) { seen.insert(key, at: now) }
        reads[key.resource] = seen
    }

    private mutating func countSuccess(
        _ resource: ResourceName, took: Duration, sourceBytes: Int, at now: Timestamp
    ) {
        var counters = statistics[resource] ?? RefreshStatistics()
        counters.totalRefreshes += 1
        counters.successfulRefreshes += 1
        counters.totalDuration += took
        counters.sourceBytes += sourceBytes
        counters.lastRefresh = now
        statistics[resource] = counters
        // The newest run weighs a fifth: estimates follow a source that changes its pace.
        let newest = Double(took.milliseconds)
        averages.overall = averages.overall.map { $0 * 0.8 + newest * 0.2 } ?? newest
        averages.resources[resource] =
            averages.resources[resource].map { $0 * 0.8 + newest * 0.2 } ?? newest
    }

    /// See `RefreshStore.fail`.
    mutating func fail(_ failure: AttemptFailure, at now: Timestamp) -> FailureOutcome {
        let claim = failure.claim
        let key = claim.key
        guard records[key]?.lease(of: claim) != nil else {
            switch records[key]?.answer(to: claim) {
            case .retrying(let at): return .retrying(at: at)
            case .dead: return .dead
            default: return .leaseLost
            }
        }
        let error = Limits.cut(failure.error, toLast: true, bytes: Limits.errorLength)
        _ = endAttempt(key, at: now)
        countFailure(key, error: error)
        records[key]?.sourceOnline = failure.sourceOnline
        guard let delay = failure.retryAfter else {
            records[key]?.settled = .init(nonce: claim.nonce, answer: .dead)
            emit(bury(key, error: error, keepJobs: failure.keepJobs, at: now), at: now)
            return .dead
        }
        let runAt = now + delay
        records[key]?.settled = .init(nonce: claim.nonce, answer: .retrying(at: runAt))
        records[key]?.job?.lostLeases = 0
        records[key]?.job?.sequence = nil
        var retrying = event(.retrying, key, run: claim.jobID.run)
        retrying.attempt = records[key]?.job?.attempt
        retrying.runAt = runAt
        retrying.error = error
        move(key, to: .retrying(until: runAt), at: now)
        emit([retrying], at: now)
        return .retrying(at: runAt)
    }

    /// See `RefreshStore.handBack`.
    mutating func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool, at now: Timestamp
    ) -> Bool {
        let key = claim.key
        guard records[key]?.lease(of: claim) != nil else {
            return records[key]?.answer(to: claim) == .handedBack
        }
        records[key]?.settled = .init(nonce: claim.nonce, answer: .handedBack)
        records[key]?.job?.lostLeases = 0
        if isSourceAway { records[key]?.sourceOnline = false }
        emit([giveBack(key, delay: delay, at: now)], at: now)
        return true
    }

    /// See `RefreshStore.release`.
    mutating func release(_ claim: Claim) {
        if records[claim.key]?.stopping?.nonce == claim.nonce { free(claim.key) }
    }

    /// Lets a key be claimed again whose cancelled source has ended or ran out of time.
    mutating func free(_ key: Key) {
        guard records[key]?.stopping != nil else { return }
        records[key]?.stopping = nil
        stopping.remove(key)
        if waiting.contains(key) { outbox.wakes = true }
    }

    /// Returns a leased job to its old place, as if it had not been claimed; its event.
    mutating func giveBack(_ key: Key, delay: Duration, at now: Timestamp) -> RefreshEvent {
        records[key]?.job?.attempt -= 1
        records[key]?.job?.startedAt = nil
        records[key]?.job?.worker = nil
        records[key]?.job?.progress = nil
        if delay > .zero {
            move(key, to: .delayed(until: now + delay), at: now)
            return queued(key, runAt: now + delay)
        }
        enqueue(key, at: now)
        return queued(key)
    }
}

extension Progress {
    /// As stored: numbers finite, the message cut.
    var bounded: Progress {
        Progress(
            done: done.isFinite ? done : 0, total: total.flatMap { $0.isFinite ? $0 : nil },
            message: message.map {
                Limits.cut($0, toLast: false, bytes: Limits.progressMessageLength)
            })
    }
}

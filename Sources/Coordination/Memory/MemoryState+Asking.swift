internal import FreshetModel

/// Requests: a key without a job gets one, every other asker joins what is there.
extension MemoryState {
    /// See `RefreshStore.request`.
    mutating func request(_ request: RefreshRequest, at now: Timestamp) -> RequestOutcome {
        var events: [RefreshEvent] = []
        let outcome = ask(request, at: now, &events)
        emit(events, at: now)
        return outcome
    }

    /// See `RefreshStore.expire`.
    mutating func expire(_ request: RefreshRequest, at now: Timestamp) -> RequestOutcome {
        let key = request.key
        var events: [RefreshEvent] = []
        // Marked stale and asked for together, or neither.
        if records[key]?.isUnderWay != true, waiting.count >= request.maximumQueue {
            return .queueFull(waiting: waiting.count)
        }
        if records[key]?.kept(at: now) != nil {
            records[key]?.metadata?.freshUntil = now
            watch(key)
            events.append(event(.expired, key))
        }
        let outcome = ask(request, at: now, &events)
        emit(events, at: now)
        return outcome
    }

    private mutating func ask(
        _ request: RefreshRequest, at now: Timestamp, _ events: inout [RefreshEvent]
    ) -> RequestOutcome {
        let outcome =
            switch records[request.key]?.phase ?? .idle {
            case .idle, .dead: begin(request, at: now, &events)
            case .waiting: joinWaiting(request, at: now, &events)
            case .delayed(let until), .retrying(let until):
                joinDelayed(request, until: until, at: now, &events)
            case .leased: joinRunning(request, at: now)
            }
        if case .accepted = outcome, let record = records[request.key] {
            records[request.key]?.seenVersion = max(
                record.seenVersion, request.seenVersion ?? 0)
        }
        return outcome
    }

    private mutating func begin(
        _ request: RefreshRequest, at now: Timestamp, _ events: inout [RefreshEvent]
    ) -> RequestOutcome {
        let key = request.key
        if let refusal = refusal(of: request, at: now) { return refusal }
        let run = nextRun(of: key, at: now)
        records[key, default: MemoryRecord()].job = MemoryJob(
            run: run, priority: request.priority, scope: request.scope,
            traceparent: request.traceparent,
            readyAt: JobID(run: run, key: key).createdAt)
        records[key]?.lastRun = run
        if request.delay > .zero {
            move(key, to: .delayed(until: now + request.delay), at: now)
        } else {
            enqueue(key, at: now)
        }
        events.append(queued(key, runAt: request.delay > .zero ? now + request.delay : nil))
        return accepted(.started, key, at: now)
    }

    /// Why a key without a job gets none.
    private func refusal(of request: RefreshRequest, at now: Timestamp) -> RequestOutcome? {
        if request.origin == .read || request.origin == .monitor, let record = records[request.key]
        {
            if let seen = request.seenVersion, let kept = record.kept(at: now), kept.version > seen
            {
                return .notNeeded(version: kept.version)
            }
            if case .dead = record.phase, let job = record.job, let ended = record.lastEnd,
                now - ended < request.coolDown
            {
                return .coolingDown(
                    JobID(run: job.run, key: request.key), error: record.error ?? "")
            }
        }
        return waiting.count >= request.maximumQueue ? .queueFull(waiting: waiting.count) : nil
    }

    /// A run number no job of the key had, also when the clock stood still or stepped back.
    private func nextRun(of key: Key, at now: Timestamp) -> Int64 {
        max((records[key]?.lastRun ?? 0) + 1, now.microseconds)
    }

    private mutating func joinWaiting(
        _ request: RefreshRequest, at now: Timestamp, _ events: inout [RefreshEvent]
    ) -> RequestOutcome {
        let key = request.key
        widen(request)
        if raise(request) {
            // The sequence number stays: first come, first served within the higher class too.
            move(key, to: .waiting, at: now)
            events.append(queued(key))
        }
        return accepted(.queued, key, at: now)
    }

    private mutating func joinDelayed(
        _ request: RefreshRequest, until: Timestamp, at now: Timestamp,
        _ events: inout [RefreshEvent]
    ) -> RequestOutcome {
        let key = request.key
        widen(request)
        let isRaised = raise(request)
        let isAsk = request.origin == .ask
        if isAsk, request.delay <= .zero {
            records[key]?.job?.readyAt = now
            enqueue(key, at: now)
            events.append(queued(key))
            return accepted(.queued, key, at: now)
        }
        let earlier = isAsk ? min(until, now + request.delay) : until
        guard isRaised || earlier < until else { return accepted(.queued, key, at: now) }
        if case .retrying = records[key]?.phase {
            // Told as `queued` all the same: `retrying` tells that an attempt failed.
            move(key, to: .retrying(until: earlier), at: now)
        } else {
            move(key, to: .delayed(until: earlier), at: now)
        }
        events.append(queued(key, runAt: earlier))
        return accepted(.queued, key, at: now)
    }

    private mutating func joinRunning(
        _ request: RefreshRequest, at now: Timestamp
    ) -> RequestOutcome {
        let key = request.key
        guard request.force else { return accepted(.running, key, at: now) }
        if let noted = records[key]?.rerun {
            records[key]?.rerun?.priority = min(noted.priority, request.priority)
            records[key]?.rerun?.scope = noted.scope.union(request.scope)
        } else {
            let run = nextRun(of: key, at: now)
            records[key]?.rerun = MemoryRerun(
                run: run, priority: request.priority, scope: request.scope)
            records[key]?.lastRun = run
        }
        guard let record = records[key], let rerun = record.rerun else {
            preconditionFailure("\(key) runs without a record")
        }
        return .accepted(
            RefreshReceipt(
                status: .queued, job: job(rerun, of: key, at: now),
                runningFor: record.job?.startedAt.map { max(.zero, now - $0) }))
    }

    /// Makes the job cover the request's scope too.
    private mutating func widen(_ request: RefreshRequest) {
        guard let scope = records[request.key]?.job?.scope else { return }
        records[request.key]?.job?.scope = scope.union(request.scope)
    }

    /// Gives the job the request's priority when that is higher; whether it was.
    private mutating func raise(_ request: RefreshRequest) -> Bool {
        guard let job = records[request.key]?.job, request.priority < job.priority else {
            return false
        }
        records[request.key]?.job?.priority = request.priority
        return true
    }

    private func accepted(
        _ status: RefreshReceipt.Status, _ key: Key, at now: Timestamp
    ) -> RequestOutcome {
        guard let record = records[key], let job = job(of: key, at: now) else {
            preconditionFailure("\(key) was accepted without a job")
        }
        var receipt = RefreshReceipt(status: status, job: job)
        if case .leased = record.phase {
            receipt.runningFor = record.job?.startedAt.map { max(.zero, now - $0) }
        }
        return .accepted(receipt)
    }
}

extension Timestamp {
    /// As runs and fences count; exact, for a clock of milliseconds.
    var microseconds: Int64 { milliseconds * 1000 }
}

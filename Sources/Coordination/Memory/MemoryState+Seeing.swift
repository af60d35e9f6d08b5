internal import FreshetModel

/// Views: everything here reads a snapshot and changes nothing.
extension MemoryState {
    /// See `RefreshStore.statuses`.
    func status(of key: Key, at now: Timestamp) -> KeyStatus {
        var status = KeyStatus(key: key, now: now)
        guard let record = records[key] else { return status }
        status.payload = record.kept(at: now)
        status.version = record.version
        status.lastRefresh = record.lastRefresh
        status.lastDuration = record.lastDuration
        status.error = record.error
        status.consecutiveFailures = record.failures
        status.sourceOnline = record.sourceOnline
        status.job = job(of: key, at: now)
        status.state =
            switch record.phase {
            case .idle: .idle
            case .waiting, .delayed: .queued
            case .retrying: .retrying
            case .leased: .running
            case .dead: .failed
            }
        return status
    }

    /// See `RefreshStore.read`.
    func read(_ key: Key, held: Int64?, at now: Timestamp) -> KeyRead {
        let status = status(of: key, at: now)
        guard let payload = status.payload, payload.version != held else {
            return KeyRead(status: status, bytes: nil)
        }
        return KeyRead(status: status, bytes: records[key]?.bytes)
    }

    /// See `RefreshStore.job`.
    func job(_ id: JobID, at now: Timestamp) -> Job? {
        if let record = records[id.key] {
            if record.job?.run == id.run { return job(of: id.key, at: now) }
            if let rerun = record.rerun, rerun.run == id.run {
                return job(rerun, of: id.key, at: now)
            }
        }
        return endedJob(id, at: now)
    }

    /// The key's job, under way or dead, as clients see it; `nil` while idle.
    func job(of key: Key, at now: Timestamp) -> Job? {
        guard let record = records[key], let live = record.job else { return nil }
        var job = Job(
            id: JobID(run: live.run, key: key), state: .queued, priority: live.priority)
        job.attempt = live.attempt
        job.startedAt = live.startedAt
        job.duration = live.duration
        job.worker = live.worker
        job.progress = live.progress
        job.queueDepth = waiting.count
        job.partition = partitions > 1 ? partition : nil
        switch record.phase {
        case .idle: return nil
        case .waiting:
            let rank = waiting.rank(of: key) ?? 0
            job.position = rank + 1
            job.ahead = rank
        case .delayed(let until):
            job.runAt = until
        case .retrying(let until):
            job.state = .retrying
            job.runAt = until
        case .leased:
            job.state = .running
            job.position = 0
            job.ahead = 0
            job.duration = live.startedAt.map { max(.zero, now - $0) }
        case .dead:
            job.state = .dead
            job.queueDepth = 0
            job.partition = nil
            job.finishedAt = record.lastEnd
        }
        // A running attempt has not failed yet; its number counts.
        let failedAttempts = live.attempt - (job.state == .running ? 1 : 0)
        if failedAttempts > 0 || job.state == .dead { job.error = record.error }
        job.estimatedRemaining = Estimate.remaining(
            of: job, now: now, running: leased.count, capacity: capacity(at: now),
            average: Self.duration(averages.resources[key.resource]),
            overall: Self.duration(averages.overall))
        return job
    }

    /// A rerun as clients see it: queued, without a place.
    func job(_ rerun: MemoryRerun, of key: Key, at now: Timestamp) -> Job {
        var job = Job(
            id: JobID(run: rerun.run, key: key), state: .queued, priority: rerun.priority)
        job.isRerun = true
        job.queueDepth = waiting.count
        job.partition = partitions > 1 ? partition : nil
        job.estimatedRemaining = Estimate.remaining(
            ofRerunAfter: self.job(of: key, at: now),
            average: Self.duration(averages.resources[key.resource]),
            overall: Self.duration(averages.overall))
        return job
    }

    /// Slots of the live workers, capped by `max_concurrent`.
    private func capacity(at now: Timestamp) -> Int {
        let live = workers.values.filter { $0.until >= now }.map(\.presence.capacity)
        return min(live.reduce(0, +), maximumConcurrent ?? .max)
    }

    private static func duration(_ milliseconds: Double?) -> Duration? {
        milliseconds.map { .microseconds(Int64($0 * 1000)) }
    }

    /// Adds this partition to what `RefreshStore.queue` tells.
    func add(to status: inout QueueStatus, at now: Timestamp) {
        var heads: [Priority: Key] = [:]
        for element in waiting.elements {
            status.waitingByPriority[element.score.priority, default: 0] += 1
            if heads[element.score.priority] == nil {
                heads[element.score.priority] = element.member
            }
        }
        for priority in Priority.allCases { status.waitingByPriority[priority, default: 0] += 0 }
        // The head of its class waits longest; the oldest of the three is told.
        for key in heads.values {
            guard let ready = records[key]?.job?.readyAt else { continue }
            status.oldestWaiting = max(
                status.oldestWaiting ?? .zero, now - ready)
        }
        status.running += leased.count
        status.delayed += delayed.count
        status.dead += dead.count
        status.isPaused = status.isPaused || isPaused
        let minuteAgo = Timestamp(milliseconds: now.milliseconds - 60_000)
        let recent = ended.elements.reversed().prefix { $0.score >= minuteAgo }.count
        status.completedPerSecond += Double(recent) / 60
    }

    /// Adds this partition to what `RefreshStore.statistics` tells.
    func add(to all: inout [ResourceName: RefreshStatistics]) {
        for (resource, counters) in statistics {
            var sum = all[resource] ?? RefreshStatistics()
            sum.totalRefreshes += counters.totalRefreshes
            sum.successfulRefreshes += counters.successfulRefreshes
            sum.failedRefreshes += counters.failedRefreshes
            sum.totalDuration += counters.totalDuration
            sum.hits += counters.hits
            sum.misses += counters.misses
            sum.staleHits += counters.staleHits
            sum.sourceBytes += counters.sourceBytes
            sum.activeKeys += reads[resource]?.count ?? 0
            if let last = counters.lastRefresh {
                sum.lastRefresh = sum.lastRefresh.map { max($0, last) } ?? last
            }
            all[resource] = sum
        }
    }
}

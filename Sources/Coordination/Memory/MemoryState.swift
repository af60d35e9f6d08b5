internal import FreshetModel

/// One partition of a store as a value: the specification that `RedisRefreshStore` must match.
///
/// Each mutating method is one transition. Nothing here knows a clock, a lock or a random number:
/// the time and the nonces come in as arguments, what others must be told leaves in `outbox`.
///
///     records   what is known about each key; `phase` says where its refresh stands
///     waiting … the same keys in the order of their places, kept in step by `move` alone
///     due       fresh-until of kept payloads without a job, for the monitor
struct MemoryState: Sendable {
    /// The order of waiting jobs: class first, then first come.
    struct Place: Comparable, Sendable {
        var priority: Priority
        var sequence: Int64

        static func < (left: Place, right: Place) -> Bool {
            (left.priority, left.sequence) < (right.priority, right.sequence)
        }
    }

    /// What a transition tells others, taken away by the shell.
    struct Outbox: Sendable {
        /// Entries of the event log, oldest first.
        var entries: [[RefreshEvent]] = []
        /// Nonces of leases that were taken away.
        var cancelled: [String] = []
        /// There may be something to claim: wake one worker.
        var wakes = false
    }

    /// Moving averages of run times, in milliseconds.
    struct Averages: Sendable {
        var overall: Double?
        var resources: [ResourceName: Double] = [:]
    }

    let partition: Int
    /// How many there are.
    let partitions: Int
    var records: [Key: MemoryRecord] = [:]

    private(set) var waiting = RankedSet<Key, Place>()
    private(set) var delayed = RankedSet<Key, Timestamp>()
    private(set) var leased = RankedSet<Key, Timestamp>()
    var dead = RankedSet<Key, Timestamp>()
    var due = RankedSet<Key, Timestamp>()
    var kept = RankedSet<Key, Timestamp>()
    /// Keys whose cancelled source may still run, by the end of the lease it had.
    var stopping = RankedSet<Key, Timestamp>()
    /// Keys with a payload by their last read; the publication counts as the first.
    var reads: [ResourceName: RankedSet<Key, Timestamp>] = [:]
    /// Ended jobs that can be asked for, by `RUN-KEY`.
    var ended = RankedSet<String, Timestamp>()
    var endedJobs: [String: EndedMemoryJob] = [:]

    var sequence: Int64 = 0
    var isPaused = false
    /// As the last claim said; bounds the capacity of estimates.
    var maximumConcurrent: Int?
    var averages = Averages()
    var statistics: [ResourceName: RefreshStatistics] = [:]
    var times: [ResourceName: [StageTimes.Stage: StageTimes]] = [:]
    var workers: [String: (presence: WorkerPresence, until: Timestamp)] = [:]
    var leader: MemoryLeader?
    /// Of all partitions; only the first has any.
    var slots = MemorySlots()
    /// When the last round of maintenance that left nothing over ended.
    var maintainedAt: Timestamp?
    var fired: [ResourceName: Timestamp] = [:]
    var log: MemoryEventLog
    var outbox = Outbox()

    init(partition: Int, of partitions: Int = 1) {
        self.partition = partition
        self.partitions = partitions
        log = MemoryEventLog(partition: partition)
    }

    // MARK: places

    /// Puts `key`'s refresh into `phase` and nowhere else.
    mutating func move(_ key: Key, to phase: MemoryRecord.Phase, at now: Timestamp) {
        waiting.remove(key)
        delayed.remove(key)
        leased.remove(key)
        dead.remove(key)
        records[key, default: MemoryRecord()].phase = phase
        switch phase {
        case .idle:
            records[key]?.job = nil
        case .waiting:
            guard let job = records[key]?.job, let sequence = job.sequence else {
                preconditionFailure("\(key) waits without a job or a place")
            }
            waiting.insert(key, at: Place(priority: job.priority, sequence: sequence))
            outbox.wakes = true
        case .delayed(let until), .retrying(let until):
            delayed.insert(key, at: until)
            // Whoever sleeps until the next due time may sleep too long now.
            outbox.wakes = true
        case .leased(let lease):
            leased.insert(key, at: lease.deadline)
        case .dead:
            dead.insert(key, at: now)
            if dead.count > Limits.deadLetters, let oldest = dead.elements.first {
                dead.remove(oldest.member)
            }
        }
        watch(key)
    }

    /// Makes `key`'s job wait: at its old place when it has one, else at the back of its class.
    mutating func enqueue(_ key: Key, at now: Timestamp) {
        if records[key]?.job?.sequence == nil {
            sequence += 1
            records[key]?.job?.sequence = sequence
        }
        move(key, to: .waiting, at: now)
    }

    /// The monitor looks after kept payloads that can go stale and have no job.
    mutating func watch(_ key: Key) {
        if let record = records[key], !record.isUnderWay,
            let freshUntil = record.metadata?.freshUntil
        {
            due.insert(key, at: freshUntil)
        } else {
            due.remove(key)
        }
    }

    /// Makes what is due claimable; how many.
    mutating func promote(at now: Timestamp) -> Int {
        let ready = delayed.members(upTo: now, limit: Limits.scriptMembers)
        for key in ready {
            records[key]?.job?.readyAt = min(now, delayed.score(of: key) ?? now)
            enqueue(key, at: now)
        }
        return ready.count
    }

    // MARK: events

    /// An event about `key`; `emit` adds id and time.
    func event(_ kind: RefreshEvent.Kind, _ key: Key, run: Int64? = nil) -> RefreshEvent {
        RefreshEvent(
            id: EventID(partition: partition, epoch: 0, sequence: 0), kind: kind, key: key,
            jobID: run.map { JobID(run: $0, key: key) }, version: records[key]?.version ?? 0,
            at: Timestamp(milliseconds: 0))
    }

    /// The event of a job that waits now, or for its time when `runAt` is given.
    func queued(_ key: Key, runAt: Timestamp? = nil) -> RefreshEvent {
        var queued = event(.queued, key, run: records[key]?.job?.run)
        queued.position = waiting.rank(of: key).map { $0 + 1 }
        queued.runAt = runAt
        return queued
    }

    /// Appends one entry to the log, unless there is nothing to tell.
    mutating func emit(_ events: [RefreshEvent], at now: Timestamp) {
        guard !events.isEmpty else { return }
        outbox.entries.append(log.append(events, at: now))
    }

    // MARK: invariants

    /// What is wrong with the state; empty always. Tests ask after every transition.
    func violations(at now: Timestamp) -> [String] {
        var found: [String] = []
        for (key, record) in records {
            let places = [
                waiting.contains(key), delayed.contains(key), leased.contains(key),
            ].filter { $0 }.count
            if places != (record.isUnderWay ? 1 : 0) { found.append("\(key) is in \(places)") }
            if (record.job == nil) != (record.phase == .idle) { found.append("\(key): job") }
            if record.rerun != nil, !record.isUnderWay { found.append("\(key): stray rerun") }
            if (record.stopping != nil) != stopping.contains(key) {
                found.append("\(key): stopping")
            }
            if record.stopping != nil, leased.contains(key) {
                found.append("\(key) runs beside a source that ends")
            }
            if record.isUnderWay, due.contains(key) { found.append("\(key): due with a job") }
            if let metadata = record.metadata, metadata.version > record.version {
                found.append("\(key): version fell")
            }
        }
        return found
    }
}

/// What is left of an ended job.
struct EndedMemoryJob: Sendable {
    var job: Job
    /// Unknown from here on.
    var until: Timestamp
}

/// The leader of the schedulers.
struct MemoryLeader: Sendable {
    var id: String
    var until: Timestamp
    var lease: Duration
}

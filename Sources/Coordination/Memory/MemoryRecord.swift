internal import FreshetModel

/// What is known about one key: the counterpart of the `k:` hash in Redis.
struct MemoryRecord: Sendable {
    /// Highest ever published; survives a purge.
    var version: Int64 = 0
    /// Somebody holds this version; above `version` when the store lost its data since.
    var seenVersion: Int64 = 0
    /// What is kept, until maintenance finds it past its `keptUntil`.
    var metadata: PayloadMetadata?
    var bytes: [UInt8] = []

    /// Highest run ever given to a job or rerun of the key.
    var lastRun: Int64 = 0
    /// Of the last claim.
    var fence: Int64 = 0
    /// Where the refresh stands: one place at a time, by construction.
    var phase = Phase.idle
    /// The job in that place; `nil` while idle.
    var job: MemoryJob?
    /// One more run, noted behind the job under way.
    var rerun: MemoryRerun?
    /// The lease of a cancelled job whose source may still run: the key is not claimed meanwhile.
    var stopping: MemoryLease?
    /// How the last settled claim ended, so that a repeat gets the same answer.
    var settled: Settlement?

    var lastRefresh: Timestamp?
    /// When an attempt ended last.
    var lastEnd: Timestamp?
    var lastDuration: Duration?
    var error: String?
    var failures = 0
    var sourceOnline = true

    /// Where a key's refresh stands.
    enum Phase: Sendable, Equatable {
        /// No job under way.
        case idle
        /// May be claimed; its place is the job's priority and sequence.
        case waiting
        /// Not before that time: asked for with a delay, or handed back with one.
        case delayed(until: Timestamp)
        /// Not before that time: an attempt failed.
        case retrying(until: Timestamp)
        /// A worker has it.
        case leased(MemoryLease)
        /// Attempts used up; the job stays to be seen.
        case dead
    }

    /// How a claim was settled.
    struct Settlement: Sendable, Equatable {
        enum Answer: Sendable, Equatable {
            case published(version: Int64)
            case retrying(at: Timestamp)
            case dead
            case handedBack
        }
        var nonce: String
        var answer: Answer
    }

    /// What may be served at `now`.
    func kept(at now: Timestamp) -> PayloadMetadata? {
        metadata.flatMap { $0.isKept(at: now) ? $0 : nil }
    }

    /// Whether a job waits, runs or will be retried.
    var isUnderWay: Bool {
        switch phase {
        case .idle, .dead: false
        case .waiting, .delayed, .retrying, .leased: true
        }
    }

    /// The live lease, when `claim` holds it.
    func lease(of claim: Claim) -> MemoryLease? {
        guard case .leased(let lease) = phase, lease.fence == claim.fence,
            lease.nonce == claim.nonce
        else { return nil }
        return lease
    }

    /// What a repeated settlement of `claim` is told.
    func answer(to claim: Claim) -> Settlement.Answer? {
        settled.flatMap { $0.nonce == claim.nonce ? $0.answer : nil }
    }
}

/// A worker's claim as the store sees it.
struct MemoryLease: Sendable, Equatable {
    var fence: Int64
    var nonce: String
    /// From one heartbeat to the deadline.
    var length: Duration
    var deadline: Timestamp
}

/// One refresh of a key, from the asking to its end.
struct MemoryJob: Sendable {
    var run: Int64
    var priority: Priority
    /// Its place within the class; `nil` before it first waits, and after a failed attempt, so that
    /// a retry joins at the back. A job handed back or reaped still has it.
    var sequence: Int64?
    var scope: RefreshScope
    var traceparent: String?
    /// Counted attempts, a running one included.
    var attempt = 0
    /// Leases lost in a row.
    var lostLeases = 0
    /// When it became claimable; of a job that never waited for a time it is the creation.
    var readyAt: Timestamp
    /// When the last counted attempt began.
    var startedAt: Timestamp?
    /// How long the last counted attempt took; `nil` while it runs.
    var duration: Duration?
    var worker: String?
    var progress: Progress?
}

/// A run that follows the running one: a number in the record, no job yet.
struct MemoryRerun: Sendable {
    var run: Int64
    var priority: Priority
    var scope: RefreshScope
}

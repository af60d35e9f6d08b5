public import FreshetModel

/// Asks for a refresh of a key.
public struct RefreshRequest: Sendable, Hashable {
    /// Who asks, which decides when asking again is of no use.
    public enum Origin: String, Sendable {
        /// A person or program: always gets a job, ends a delay and a retry's wait.
        case ask
        /// A read that found the key cold, stale or soon stale; leaves delays and retries alone.
        case read
        /// The staleness monitor; as `read`.
        case monitor
        /// A schedule or a changed file; as `read`, but not held back after a dead job.
        case schedule
    }

    /// What to refresh.
    public var key: Key
    /// Who asks.
    public var origin: Origin
    /// The class to wait in; a join takes the higher.
    public var priority: Priority
    /// Not before this time has passed; a join takes the earlier of two times.
    public var delay: Duration = .zero
    /// While the key's job runs: one more run follows it.
    public var force = false
    /// Which part; a join covers both.
    public var scope = RefreshScope.all
    /// The version the asker holds. `read` and `monitor` found it stale: when a later one is kept,
    /// the answer is `notNeeded`. A store that knows only lower ones lost its data; the next payload
    /// gets a version above it all the same. `nil`: whatever is kept.
    public var seenVersion: Int64?
    /// For `read` and `monitor`: time after a dead job in which they do not queue the next one.
    public var coolDown: Duration = .zero
    /// Waiting keys past which new jobs are refused; joins are not.
    public var maximumQueue = 1_000_000
    /// W3C `traceparent` of the request that asks; kept with a new job.
    public var traceparent: String?

    /// A plain ask.
    public init(key: Key, origin: Origin = .ask, priority: Priority = .normal) {
        self.key = key
        self.origin = origin
        self.priority = priority
    }
}

/// What came of a `RefreshRequest`.
public enum RequestOutcome: Sendable, Hashable {
    /// There is a job: a new one, or the one that was there.
    case accepted(RefreshReceipt)
    /// `maximumQueue` keys wait already; nothing was queued.
    case queueFull(waiting: Int)
    /// A later version than `seenVersion` is kept already.
    case notNeeded(version: Int64)
    /// The key's last job is dead since less than `coolDown`.
    case coolingDown(JobID, error: String)
}

/// The job an asker got.
public struct RefreshReceipt: Sendable, Hashable {
    /// How the asker came to the job.
    public enum Status: String, Sendable {
        /// A new job.
        case started
        /// Joined one that waits, is delayed or will be retried; or the rerun after a running one.
        case queued
        /// Joined one that runs.
        case running
    }

    /// How the asker came to the job.
    public var status: Status
    /// The job. While `isRerun`, `state` is `queued` and `position` is `nil`.
    public var job: Job
    /// How long the key's running attempt has been running; `nil` when none runs.
    public var runningFor: Duration?

    /// A receipt.
    public init(status: Status, job: Job, runningFor: Duration? = nil) {
        self.status = status
        self.job = job
        self.runningFor = runningFor
    }
}

/// Asks for jobs of one partition on behalf of a worker.
public struct ClaimRequest: Sendable, Hashable {
    /// The worker's id.
    public var worker: String
    /// The partition to claim from.
    public var partition: Int
    /// Jobs at the most, 1 ... `Limits.scriptMembers`.
    public var limit: Int
    /// Lease of resources that `leases` does not name.
    public var lease: Duration
    /// Leases of the resources that differ from `lease`.
    public var leases: [ResourceName: Duration] = [:]
    /// Leases of this partition over all workers, those of cancelled sources that have not ended
    /// included, past which nothing is claimed; `nil`: no cap. Over several partitions see
    /// `RefreshStore.takeSlots`.
    public var maximumConcurrent: Int?

    /// A claim of up to `limit` jobs.
    public init(worker: String, partition: Int = 0, limit: Int = 1, lease: Duration = .seconds(10))
    {
        self.worker = worker
        self.partition = partition
        self.limit = limit
        self.lease = lease
    }
}

/// A place under a cap on running jobs that counts over several partitions.
public struct Slot: Sendable, Hashable, Comparable {
    /// `LEASE_MS-NAME`; whoever makes up the name sees to it that nobody else does.
    public let text: String
    /// How long it is had without being renewed.
    public let lease: Duration

    /// A slot that nobody has yet.
    public init(lease: Duration, name: String) {
        self.lease = lease
        text = "\(lease.milliseconds)-\(name)"
    }

    /// By `text`.
    public static func < (left: Slot, right: Slot) -> Bool { left.text < right.text }
}

/// A worker's right to work on a job until the lease ends on Redis' clock.
public struct Claim: Sendable, Hashable {
    /// The job; its key is the key to refresh.
    public var jobID: JobID
    /// Grows with each claim of the key; later writes are checked against it.
    public var fence: Int64
    /// Random per claim and compared for equality: after a failover a fence alone could repeat.
    public var nonce: String
    /// From 1.
    public var attempt: Int
    /// Which part is asked for.
    public var scope: RefreshScope
    /// The class it waited in.
    public var priority: Priority
    /// How long the lease lasts without a heartbeat.
    public var lease: Duration
    /// When it was claimed.
    public var claimedAt: Timestamp
    /// When it became claimable: `claimedAt - readyAt` is the queue wait.
    public var readyAt: Timestamp
    /// What is kept; `nil` when nothing is.
    public var previous: PayloadMetadata?
    /// W3C `traceparent` of the request that asked first.
    public var traceparent: String?

    /// A claim with all that every claim has.
    public init(
        jobID: JobID, fence: Int64, nonce: String, attempt: Int, scope: RefreshScope,
        priority: Priority, lease: Duration, claimedAt: Timestamp, readyAt: Timestamp,
        previous: PayloadMetadata?, traceparent: String?
    ) {
        self.jobID = jobID
        self.fence = fence
        self.nonce = nonce
        self.attempt = attempt
        self.scope = scope
        self.priority = priority
        self.lease = lease
        self.claimedAt = claimedAt
        self.readyAt = readyAt
        self.previous = previous
        self.traceparent = traceparent
    }

    /// The key to refresh.
    public var key: Key { jobID.key }
}

/// What a claim brought.
public struct ClaimBatch: Sendable, Hashable {
    /// The claimed jobs, in queue order.
    public var claims: [Claim] = []
    /// How many still wait.
    public var waiting = 0
    /// Time until the next delayed job becomes claimable; `nil` when none is delayed.
    public var untilNextDue: Duration?
    /// The queue is paused: nothing is claimed until it is resumed.
    public var isPaused = false

    /// Nothing claimed.
    public init() {}
}

/// Renews the lease of one claim, and tells how far its source is.
public struct Heartbeat: Sendable, Hashable {
    /// The claim to renew.
    public var claim: Claim
    /// Told since the last heartbeat; `nil`: nothing new.
    public var progress: Progress?

    /// A heartbeat.
    public init(claim: Claim, progress: Progress? = nil) {
        self.claim = claim
        self.progress = progress
    }
}

/// Ends an attempt with success.
public struct Publication: Sendable, Hashable {
    /// What the attempt brought.
    public enum Content: Sendable, Hashable {
        /// A new payload, encoded as it is to be stored.
        case payload(Payload)
        /// The kept payload is still right; counts as a success and renews freshness.
        case renewal
    }

    /// The claim it was made under.
    public var claim: Claim
    /// What the attempt brought.
    public var content: Content
    /// How long it is fresh, jitter applied.
    public var freshFor: FreshFor
    /// How long it is kept; `nil` until purged.
    public var keepFor: Duration?
    /// How long the ended job can be asked for.
    public var keepJobs: Duration = .seconds(86_400)
    /// Keys the resource may have.
    public var maximumVariants = 10_000

    /// A publication.
    public init(claim: Claim, content: Content, freshFor: FreshFor, keepFor: Duration?) {
        self.claim = claim
        self.content = content
        self.freshFor = freshFor
        self.keepFor = keepFor
    }
}

/// What came of a `Publication`.
public enum PublicationOutcome: Sendable, Hashable {
    /// The version that is kept now. The same answer when the same publication is sent again.
    case published(version: Int64)
    /// A renewal found nothing kept any more: nothing was changed, fail the attempt instead.
    case nothingToRenew
    /// The lease ended or the job was cancelled: nothing was changed.
    case leaseLost
}

/// Ends an attempt with failure.
public struct AttemptFailure: Sendable, Hashable {
    /// The claim that failed.
    public var claim: Claim
    /// Why; the last `Limits.errorLength` bytes are kept.
    public var error: String
    /// When to try again; `nil`: never, the job is dead.
    public var retryAfter: Duration?
    /// Whether the source could be reached.
    public var sourceOnline = true
    /// How long the ended job can be asked for.
    public var keepJobs: Duration = .seconds(86_400)

    /// A failed attempt.
    public init(claim: Claim, error: String, retryAfter: Duration?) {
        self.claim = claim
        self.error = error
        self.retryAfter = retryAfter
    }
}

/// What came of an `AttemptFailure`.
public enum FailureOutcome: Sendable, Hashable {
    /// The job will be tried again.
    case retrying(at: Timestamp)
    /// The job is in the dead letters.
    case dead
    /// The lease ended or the job was cancelled: nothing was changed.
    case leaseLost
}

/// What came of a cancellation.
public enum CancelOutcome: Sendable, Hashable {
    /// It waited and is gone.
    case removed
    /// It ran: its lease is taken away and its worker told. Its key is claimed again only when the
    /// source has ended, or its lease would have.
    case stopped
    /// It had ended before.
    case alreadyEnded(JobState)
    /// No such job.
    case unknown
}

/// What one round of maintenance of a partition did.
public struct MaintenanceReport: Sendable, Hashable {
    /// Jobs whose lease had ended and that wait again.
    public var reaped: [JobID] = []
    /// Jobs that lost their lease once too often.
    public var dead: [JobID] = []
    /// Delayed and retrying jobs that became claimable.
    public var promoted = 0
    /// Half-states mended: leases without a record, records without a place, absurd deadlines.
    public var repaired = 0

    /// Nothing done.
    public init() {}

    /// Whether there may be more to do.
    var isFull: Bool {
        max(reaped.count + dead.count, promoted, repaired) >= Limits.scriptMembers
    }
}

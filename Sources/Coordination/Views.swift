public import FreshetModel

/// A key as a read sees it.
public struct KeyRead: Sendable, Hashable {
    /// Everything about the key.
    public var status: KeyStatus
    /// The stored bytes, encoded as `status.payload` says; `nil` when nothing is kept or the
    /// version is the one the reader holds.
    public var bytes: [UInt8]?

    /// A read.
    public init(status: KeyStatus, bytes: [UInt8]?) {
        self.status = status
        self.bytes = bytes
    }
}

/// One page of a listing.
public struct Page<Element: Sendable>: Sendable {
    /// The elements, at most as many as were asked for.
    public var items: [Element]
    /// Where the next page begins; `nil` at the end. Opaque, URL-safe.
    public var nextCursor: String?

    /// A page.
    public init(items: [Element], nextCursor: String? = nil) {
        self.items = items
        self.nextCursor = nextCursor
    }
}

/// A worker as others see it.
public struct WorkerPresence: Sendable, Hashable {
    /// Unique per process.
    public var id: String
    /// Jobs it runs at once.
    public var capacity: Int
    /// Jobs it runs now.
    public var running: Int
    /// The version of Freshet it runs.
    public var version: String
    /// Its last heartbeat on Redis' clock; set by the store.
    public var lastSeen: Timestamp?

    /// A worker's presence.
    public init(id: String, capacity: Int, running: Int, version: String) {
        self.id = id
        self.capacity = capacity
        self.running = running
        self.version = version
    }
}

/// The queue at a glance, over all partitions.
public struct QueueStatus: Sendable, Hashable {
    /// Jobs that may be claimed, by class.
    public var waitingByPriority: [Priority: Int] = [:]
    /// Jobs with a live lease.
    public var running = 0
    /// Jobs that wait for their time, retrying ones included.
    public var delayed = 0
    /// Dead letters.
    public var dead = 0
    /// How long the first in line of its class has been claimable, the longest over classes and
    /// partitions; `nil` when none waits. A job raised to a higher class, or handed back to an old
    /// place, may have been waiting longer than the first of its class.
    public var oldestWaiting: Duration?
    /// Ended jobs per second over the last minute.
    public var completedPerSecond = 0.0
    /// Nothing is claimed until resumed.
    public var isPaused = false
    /// Live workers.
    public var workers: [WorkerPresence] = []

    /// An empty queue.
    public init() {}

    /// Jobs that may be claimed.
    public var waiting: Int { waitingByPriority.values.reduce(0, +) }
}

/// Counters over all processes since the data began.
public struct RefreshStatistics: Sendable, Hashable {
    /// Ended attempts.
    public var totalRefreshes = 0
    /// Attempts that published or renewed.
    public var successfulRefreshes = 0
    /// Attempts that failed.
    public var failedRefreshes = 0
    /// Run time of all successful attempts together.
    public var totalDuration: Duration = .zero
    /// When the last successful attempt ended.
    public var lastRefresh: Timestamp?
    /// Keys that have a payload.
    public var activeKeys = 0
    /// Reads answered from a fresh payload.
    public var hits = 0
    /// Reads that found nothing kept.
    public var misses = 0
    /// Reads answered from a stale payload.
    public var staleHits = 0
    /// Unencoded bytes that sources produced.
    public var sourceBytes = 0

    /// No counts.
    public init() {}
}

/// Reads that an API process answered for a resource since it last told.
public struct ReadCounts: Sendable, Hashable {
    /// Answered from a fresh payload.
    public var hits = 0
    /// Found nothing kept.
    public var misses = 0
    /// Answered from a stale payload.
    public var staleHits = 0

    /// No reads.
    public init() {}
}

/// What a feed of events delivers.
public enum FeedItem: Sendable, Hashable {
    /// Events of one log entry, in order.
    case events([RefreshEvent])
    /// Events may have been missed (a gap, a lost connection): copies are suspect until checked.
    case suspect(partition: Int)
}

/// How durable a queued job is, as Redis is set.
public enum Durability: String, Sendable {
    /// No append-only file: lost with the process.
    case none
    /// `appendfsync everysec` or `no`: survives the process, not the power.
    case everysec
    /// `appendfsync always`: survives the power.
    case always
    /// Confirmed by as many replicas as configured.
    case replicated
}

/// The state of a key's refresh, as `GET …/status` shows it.
public enum RefreshState: String, Sendable, CaseIterable {
    /// Nothing under way; the last refresh succeeded, was cancelled, or there was none.
    case idle
    /// A job waits, for its turn or for its `run_at`.
    case queued
    /// A worker holds the lease.
    case running
    /// An attempt failed; the next one has a time.
    case retrying
    /// The last job is dead.
    case failed

    /// Whether a job is under way: true from the asking to the end.
    public var isUnderWay: Bool {
        switch self {
        case .queued, .running, .retrying: true
        case .idle, .failed: false
        }
    }
}

/// All there is to say about a key in one consistent view: payload metadata, refresh and times.
public struct KeyStatus: Sendable, Hashable {
    /// The key.
    public var key: Key
    /// Redis' clock when the status was taken.
    public var now: Timestamp
    /// What is kept; `nil` when nothing is.
    public var payload: PayloadMetadata?
    /// The highest version ever published, also after a purge; 0 before the first.
    public var version: Int64 = 0
    /// The state of the refresh.
    public var state: RefreshState = .idle
    /// The job under way, or the dead one while `state` is `failed`.
    public var job: Job?
    /// When the last successful refresh ended.
    public var lastRefresh: Timestamp?
    /// How long the last attempt that ended took.
    public var lastDuration: Duration?
    /// Why the last attempt failed; `nil` after a success.
    public var error: String?
    /// Failed attempts since the last success.
    public var consecutiveFailures = 0
    /// Whether the source could be reached when last tried.
    public var sourceOnline = true

    /// A key nothing is known about.
    public init(key: Key, now: Timestamp) {
        self.key = key
        self.now = now
    }
}

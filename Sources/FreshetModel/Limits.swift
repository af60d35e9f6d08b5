/// Bounds that keep one asker, key or source from using up what all share.
public enum Limits {
    /// Parts a scope may name before it widens to everything.
    public static let scopeCount = 100
    /// Bytes of one scope part.
    public static let scopePartLength = 512
    /// Bytes of a progress message; longer ones are cut.
    public static let progressMessageLength = 512
    /// Bytes of a recorded error; the end is kept, where programs say what went wrong.
    public static let errorLength = 4096
    /// Keys in one `POST /v1/refresh`.
    public static let bulkKeys = 10_000
    /// Members that one script touches at most.
    public static let scriptMembers = 100
    /// Dead letters kept per partition; beyond it the oldest go.
    public static let deadLetters = 10_000
    /// Ended jobs kept per partition, whatever `keep_jobs` says; beyond it the oldest go.
    public static let endedJobs = 100_000
    /// Events that can be resumed, per partition.
    public static let events = 10_000
    /// Lost leases in a row that make a job dead.
    public static let lostLeases = 3
}

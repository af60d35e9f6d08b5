/// A change of a key, as the event log and SSE tell it. Events carry no payload.
public struct RefreshEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: String, Sendable, CaseIterable {
        /// A job waits: new, or returned to the queue.
        case queued
        /// A worker claimed the job.
        case running
        /// The source told how far it is.
        case progress
        /// An attempt failed; another follows.
        case retrying
        /// A payload was published, or freshness renewed (then `isRenewal`).
        case updated
        /// The job is dead.
        case failed
        /// The job was told to stop.
        case cancelled
        /// The payload was marked stale.
        case expired
        /// The payload is gone for good.
        case purged
    }

    /// Position in the log of its partition.
    public var id: EventID
    /// What happened.
    public var kind: Kind
    /// The key it happened to.
    public var key: Key
    /// The job it is about.
    public var jobID: JobID?
    /// The version kept after the event; 0 when nothing was ever published.
    public var version: Int64
    /// When, on Redis' clock.
    public var at: Timestamp
    /// `progress`: how far.
    public var progress: Progress?
    /// `retrying`, `failed`: why.
    public var error: String?
    /// `running`, `retrying`: which attempt.
    public var attempt: Int?
    /// `queued`: 1 for the next to be claimed, within its partition; `nil` while it is delayed.
    public var position: Int?
    /// `retrying`, delayed `queued`: when it becomes claimable.
    public var runAt: Timestamp?
    /// `updated`: only freshness was renewed, the content is as before.
    public var isRenewal = false

    /// An event without the fields that belong to single kinds.
    public init(
        id: EventID, kind: Kind, key: Key, jobID: JobID?, version: Int64, at: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.key = key
        self.jobID = jobID
        self.version = version
        self.at = at
    }
}

/// Where an event stands in the log of its partition.
///
/// `epoch` is the time the log was begun and grows when Redis lost its data; `sequence` grows by
/// one per entry, so a gap is seen; `index` counts the events of one entry from 0.
public struct EventID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The partition whose log it is.
    public var partition: Int
    /// Milliseconds of Redis' clock when the log was begun.
    public var epoch: Int64
    /// 1 for the first entry of the log, +1 for each after.
    public var sequence: Int64
    /// Position within the entry, from 0.
    public var index: Int

    /// The event `index` of entry `sequence`.
    public init(partition: Int, epoch: Int64, sequence: Int64, index: Int = 0) {
        self.partition = partition
        self.epoch = epoch
        self.sequence = sequence
        self.index = index
    }

    /// Reads `PARTITION-EPOCH-SEQUENCE-INDEX`; `nil` when it is not one.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        // Digits only: `Int` would also take a sign.
        guard parts.count == 4,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let partition = Int(parts[0]), let epoch = Int64(parts[1]),
            let sequence = Int64(parts[2]), let index = Int(parts[3])
        else { return nil }
        self.init(partition: partition, epoch: epoch, sequence: sequence, index: index)
    }

    /// `PARTITION-EPOCH-SEQUENCE-INDEX`.
    public var description: String { "\(partition)-\(epoch)-\(sequence)-\(index)" }

    /// Orders by partition, then by time.
    public static func < (left: EventID, right: EventID) -> Bool {
        (left.partition, left.epoch, left.sequence, left.index)
            < (right.partition, right.epoch, right.sequence, right.index)
    }
}

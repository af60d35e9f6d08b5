/// The priority class of a job. Within a class, first come is first served.
public enum Priority: Int, Sendable, CaseIterable, Comparable {
    /// Claimed before all others.
    case high = 0
    /// The default.
    case normal = 1
    /// Claimed when nothing else waits.
    case low = 2

    /// `high`, `normal` or `low`.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// The name in configuration and JSON.
    public var name: String {
        switch self {
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        }
    }

    /// Higher priority orders first.
    public static func < (left: Priority, right: Priority) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The identity of a job, `RUN-KEY`, which names its key and its run reversibly.
///
///     1795226400000000-events:city=oslo,page=2
///     ───────┬──────── ──────────┬────────────
///            │                   └ the key with `?` as `:`, `&` as `,` and `%` as `+`
///            └ run: max(last run + 1, microseconds of Redis' clock when it was asked for)
///
/// The escaped characters need no quoting in a URL path or a shell. A live job needs no record of
/// its own, because its id leads to its key; and ids stay unique after a loss of Redis' data.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
    /// Grows with every job of the key; the creation time in microseconds of Redis' clock.
    public let run: Int64
    /// The key the job refreshes.
    public let key: Key

    /// The id of the run `run` of `key`.
    public init(run: Int64, key: Key) {
        self.run = run
        self.key = key
    }

    /// Reads an id as `text` writes it; `nil` when it is not one.
    public init?(_ text: String) {
        guard let dash = text.firstIndex(of: "-"), let run = Int64(text[..<dash]), run > 0 else {
            return nil
        }
        let escaped = text[text.index(after: dash)...].utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: ":"): UInt8(ascii: "?")
            case UInt8(ascii: ","): UInt8(ascii: "&")
            case UInt8(ascii: "+"): UInt8(ascii: "%")
            default: byte
            }
        }
        let plain = String(decoding: escaped, as: UTF8.self)
        guard let key = Key(plain) else { return nil }
        self.init(run: run, key: key)
        // One spelling per job: no sign, no leading zero, nothing escaped that need not be.
        guard self.text == text else { return nil }
    }

    /// The id as clients see it.
    public var text: String { "\(run)-\(Self.escape(key.text))" }

    /// The id as clients see it.
    public var description: String { text }

    /// When the job was asked for, to the millisecond.
    public var createdAt: Timestamp { Timestamp(milliseconds: run / 1000) }

    private static func escape(_ key: String) -> String {
        // By bytes, which all three are: a worker spells every job's id, and characters cost ten
        // times as much.
        let bytes = key.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "?"): UInt8(ascii: ":")
            case UInt8(ascii: "&"): UInt8(ascii: ",")
            case UInt8(ascii: "%"): UInt8(ascii: "+")
            default: byte
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Where a job is in its life. See docs/lifecycle.md for the diagram.
public enum JobState: String, Sendable, CaseIterable {
    /// Waits to be claimed, or for its `run_at`.
    case queued
    /// Claimed under a live lease.
    case running
    /// An attempt failed; the next one has a time.
    case retrying
    /// Ended: a payload was published or its freshness renewed.
    case succeeded
    /// Ended: told to stop.
    case cancelled
    /// Ended: attempts used up, or a failure that no retry can mend.
    case dead

    /// Whether the job is over.
    public var isEnded: Bool {
        switch self {
        case .queued, .running, .retrying: false
        case .succeeded, .cancelled, .dead: true
        }
    }
}

/// How far a running source is, as it told itself.
public struct Progress: Hashable, Sendable {
    /// Units done so far.
    public var done: Double
    /// Units in all; `nil` when the source does not know.
    public var total: Double?
    /// What the source is doing, for people; at most `Limits.progressMessageLength` bytes.
    public var message: String?

    /// Progress of `done` out of `total`.
    public init(done: Double, total: Double? = nil, message: String? = nil) {
        self.done = done
        self.total = total
        self.message = message
    }

    /// 0 to 100, or `nil` without a total.
    public var percent: Double? {
        guard let total, total > 0, total.isFinite, done.isFinite else { return nil }
        return min(100, max(0, done / total * 100))
    }
}

/// Which part of a payload a refresh is about: everything, or named directories below the root.
public enum RefreshScope: Hashable, Sendable {
    /// The whole payload.
    case all
    /// Only these parts, sorted by their bytes and without repetition, 1 to `Limits.scopeCount`.
    case parts([String])

    /// The scope of named parts; none, or more than `Limits.scopeCount`, means all.
    public init(_ parts: [String]) {
        // By bytes: two names of files that look the same in Unicode are two files.
        var unique: [String] = []
        for part in parts.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        where unique.last.map({ !$0.utf8.elementsEqual(part.utf8) }) ?? true {
            unique.append(part)
        }
        self = unique.isEmpty || unique.count > Limits.scopeCount ? .all : .parts(unique)
    }

    /// What covers both.
    public func union(_ other: RefreshScope) -> RefreshScope {
        switch (self, other) {
        case (.all, _), (_, .all): .all
        case (.parts(let left), .parts(let right)): RefreshScope(left + right)
        }
    }

    /// The named parts; empty for all.
    public var parts: [String] {
        switch self {
        case .all: []
        case .parts(let parts): parts
        }
    }
}

/// A job as clients see it: `GET /v1/jobs/{id}`.
public struct Job: Sendable, Hashable {
    /// Names key and run.
    public var id: JobID
    /// Where it is in its life.
    public var state: JobState
    /// 1 for the next to be claimed, 0 once running, `nil` while delayed, retrying or over.
    public var position: Int?
    /// The partition, from 0, in whose queue `position`, `ahead` and `queueDepth` count; `nil` where
    /// there is only one.
    public var partition: Int?
    /// Waiting jobs that come before it; `nil` where there is no position.
    public var ahead: Int?
    /// How many wait, itself included. With several partitions, those of its own.
    public var queueDepth: Int
    /// Time until it ends, estimated; `nil` when over or nothing is known.
    public var estimatedRemaining: Duration?
    /// What the source told last; `nil` when it told nothing.
    public var progress: Progress?
    /// The attempt that runs or ran last, from 1; 0 before the first.
    public var attempt: Int
    /// Why the last attempt failed.
    public var error: String?
    /// When a delayed or retrying job becomes claimable.
    public var runAt: Timestamp?
    /// When the last attempt began.
    public var startedAt: Timestamp?
    /// When the job ended.
    public var finishedAt: Timestamp?
    /// How long the last attempt took, or runs so far.
    public var duration: Duration?
    /// The version it published.
    public var version: Int64?
    /// The worker that runs it or ran it last.
    public var worker: String?
    /// Its priority class.
    public var priority: Priority
    /// It follows a running job of the same key, asked for with `force`.
    public var isRerun: Bool

    /// A job in `state` with nothing else known.
    public init(id: JobID, state: JobState, priority: Priority = .normal) {
        self.id = id
        self.state = state
        self.priority = priority
        queueDepth = 0
        attempt = 0
        isRerun = false
    }
}

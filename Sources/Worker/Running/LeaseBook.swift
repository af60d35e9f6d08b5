internal import Coordination
internal import FreshetModel

/// When each running attempt's lease is to be renewed, when its time is up, and when to stop waiting
/// for a source that was told to stop.
///
/// Pure: it is told the time and answers what is to be done. Times are monotonic, not Redis': a
/// lease counts from the moment before the call that granted it, so its end is never later here
/// than there.
struct LeaseBook {
    /// What befell an attempt.
    enum Due: Equatable {
        /// `timeout` of its resource has passed.
        case timedOut
        /// No heartbeat succeeded within the lease.
        case leaseEnded
        /// Its slot under the cap was not renewed in time.
        case slotEnded
        /// It was told to stop and did not within its grace.
        case givenUp
    }

    /// Progress of one attempt is sent at most this often.
    static let progressInterval = Duration.milliseconds(200)
    /// Heartbeats that failed are sent again after this.
    static let repeatInterval = Duration.milliseconds(250)

    private struct Entry {
        var claim: Claim
        var slot: HeldSlot?
        var renewAt: Duration
        var leaseEnd: Duration
        /// `nil` while the attempt's end is brought to the store.
        var timeoutAt: Duration?
        var giveUpAt: Duration?
        var progress: Progress?
        var progressFrom: Duration
        var isStopping = false

        var dueAt: Duration? {
            isStopping ? giveUpAt : timeoutAt.map { min($0, leaseEnd, slot?.until ?? leaseEnd) }
        }

        /// A third of the lease, so that two heartbeats may fail; never rarer than once a second.
        var beat: Duration {
            min(min(claim.lease, slot?.slot.lease ?? claim.lease) / 3, .seconds(1))
        }
    }

    private var entries: [String: Entry] = [:]

    /// How many attempts run.
    var count: Int { entries.count }

    /// When the earliest attempt falls due, `nil` when none can.
    var nextDue: Duration? { entries.values.compactMap(\.dueAt).min() }

    /// When the next heartbeat or progress is to be sent; `nil` when nothing runs.
    var nextBeat: Duration? {
        entries.values.map { entry in
            entry.progress == nil ? entry.renewAt : min(entry.renewAt, entry.progressFrom)
        }.min()
    }

    /// An attempt begins under `claim`, which was asked for at `sentAt`; or its source runs once
    /// more, with the lease as it stands.
    ///
    /// - Parameter slot: Its slot, where a cap counts over several partitions.
    /// - Returns: When it falls due, and when its first heartbeat does.
    @discardableResult
    mutating func begin(
        _ claim: Claim, sentAt: Duration, now: Duration, timeout: Duration,
        slot: HeldSlot? = nil
    ) -> (due: Duration?, beat: Duration) {
        var entry =
            entries[claim.nonce]
            ?? Entry(
                claim: claim, slot: slot, renewAt: sentAt, leaseEnd: sentAt + claim.lease,
                progressFrom: now)
        if entries[claim.nonce] == nil {
            // A slot may have come with the job before, some time ago.
            let renewedAt = slot.map { min(sentAt, $0.until - $0.slot.lease) } ?? sentAt
            entry.renewAt = renewedAt + entry.beat
        }
        entry.timeoutAt = now + timeout
        entries[claim.nonce] = entry
        return (entry.dueAt, entry.renewAt)
    }

    /// The source ended, and how is being told to the store. Its lease is kept, but its end here
    /// means nothing more: the store takes what is told or says that the lease is gone.
    mutating func settle(_ nonce: String) {
        entries[nonce]?.timeoutAt = nil
        entries[nonce]?.progress = nil
    }

    /// The attempt was told to stop; it is given up at `giveUpAt`. Its lease is renewed until then.
    mutating func stop(_ nonce: String, giveUpAt: Duration) {
        entries[nonce]?.isStopping = true
        entries[nonce]?.giveUpAt = giveUpAt
    }

    /// The attempt is over. Returns its slot as it stands.
    @discardableResult
    mutating func end(_ nonce: String) -> HeldSlot? { entries.removeValue(forKey: nonce)?.slot }

    /// The source told how far it is. Returns whether a heartbeat should bring it now, unasked.
    mutating func report(_ progress: Progress, _ nonce: String) -> Bool {
        guard let entry = entries[nonce], entry.timeoutAt != nil else { return false }
        entries[nonce]?.progress = progress
        return entry.progress == nil
    }

    /// The heartbeats to send at `now`: when one is due, all that are due within half their beat go
    /// with it, so that a worker's attempts share their round trips.
    mutating func heartbeats(at now: Duration) -> [Heartbeat] {
        guard let next = nextBeat, next <= now else { return [] }
        var due: [Heartbeat] = []
        for (nonce, entry) in entries {
            let brings = entry.progress != nil && entry.progressFrom <= now
            guard brings || entry.renewAt - entry.beat / 2 <= now else { continue }
            due.append(Heartbeat(claim: entry.claim, progress: brings ? entry.progress : nil))
            entries[nonce]?.renewAt = now + entry.beat
            if brings {
                entries[nonce]?.progress = nil
                entries[nonce]?.progressFrom = now + Self.progressInterval
            }
        }
        return due
    }

    /// The lease is held until its full length from `sentAt`.
    mutating func renewed(_ nonce: String, sentAt: Duration) {
        guard let entry = entries[nonce] else { return }
        entries[nonce]?.leaseEnd = max(entry.leaseEnd, sentAt + entry.claim.lease)
    }

    /// The heartbeats did not arrive, or nobody knows; they go out again soon.
    mutating func failed(_ heartbeats: [Heartbeat], at now: Duration) {
        for heartbeat in heartbeats {
            let nonce = heartbeat.claim.nonce
            guard let entry = entries[nonce] else { continue }
            entries[nonce]?.renewAt = now + min(Self.repeatInterval, entry.beat)
            if entry.progress == nil { entries[nonce]?.progress = heartbeat.progress }
        }
    }

    // MARK: slots

    /// The slots of attempts whose heartbeats are sent.
    func slots(of heartbeats: [Heartbeat]) -> [(nonce: String, slot: Slot)] {
        heartbeats.compactMap { heartbeat in
            entries[heartbeat.claim.nonce]?.slot.map { (heartbeat.claim.nonce, $0.slot) }
        }
    }

    /// The slot is held until its full lease from `sentAt`.
    mutating func renewedSlot(of nonce: String, sentAt: Duration) {
        guard let slot = entries[nonce]?.slot else { return }
        entries[nonce]?.slot?.until = max(slot.until, sentAt + slot.slot.lease)
    }

    /// The slots were not renewed, or nobody knows; they are asked for again soon.
    mutating func failedSlots(of nonces: [String], at now: Duration) {
        for nonce in nonces {
            guard let entry = entries[nonce] else { continue }
            entries[nonce]?.renewAt = now + min(Self.repeatInterval, entry.beat)
        }
    }

    /// What is due at `now`; each is told once.
    mutating func due(at now: Duration) -> [(nonce: String, what: Due)] {
        var due: [(nonce: String, what: Due)] = []
        for (nonce, entry) in entries {
            guard let at = entry.dueAt, at <= now else { continue }
            if entry.isStopping {
                due.append((nonce, .givenUp))
                entries[nonce]?.giveUpAt = nil
            } else {
                let isSlotOver = entry.slot.map { $0.until <= now } ?? false
                due.append(
                    (
                        nonce,
                        entry.leaseEnd <= now ? .leaseEnded : isSlotOver ? .slotEnded : .timedOut
                    ))
                // Until `stop` says until when, nothing more is due.
                entries[nonce]?.isStopping = true
            }
        }
        return due
    }
}

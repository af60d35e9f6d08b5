internal import FreshetModel

/// The last `Limits.events` entries of a partition's events.
struct MemoryEventLog: Sendable {
    let partition: Int
    /// The time of the first entry; 0 before it.
    private(set) var epoch: Int64 = 0
    /// Of the last entry; 0 before the first.
    private(set) var sequence: Int64 = 0
    private var entries: [[RefreshEvent]] = []

    init(partition: Int) { self.partition = partition }

    /// Appends `events` as one entry; the same with ids and time.
    mutating func append(_ events: [RefreshEvent], at now: Timestamp) -> [RefreshEvent] {
        if sequence == 0 { epoch = now.milliseconds }
        sequence += 1
        var entry = events
        for index in entry.indices {
            entry[index].id = EventID(
                partition: partition, epoch: epoch, sequence: sequence, index: index)
            entry[index].at = now
        }
        entries.append(entry)
        // Trimmed in pieces: removing the first of many one by one is quadratic.
        if entries.count > Limits.events + 1000 { entries.removeFirst(1000) }
        return entry
    }

    /// The latest position: past every event of the last entry.
    var latest: EventID {
        EventID(
            partition: partition, epoch: epoch, sequence: sequence,
            index: sequence == 0 ? 0 : Int(Int32.max))
    }

    /// Events after `id`, oldest first, at most `limit`; `nil` when some are gone, or `id` is not
    /// of this log.
    func events(after id: EventID, limit: Int) -> [RefreshEvent]? {
        let first = sequence - Int64(entries.count) + 1
        let isBeginning = id.epoch == 0 && id.sequence == 0
        let isKnown = id.epoch == epoch && id.sequence >= first && id.sequence <= sequence
        guard isBeginning ? first == 1 : isKnown else { return nil }
        let skipped = isBeginning ? 0 : Int(id.sequence - first)
        let rest = entries.dropFirst(skipped).joined().lazy.filter { isBeginning || $0.id > id }
        return Array(rest.prefix(limit))
    }
}

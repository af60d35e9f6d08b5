internal import Coordination
internal import FreshetModel
internal import Runtime

/// All keys this process has to do with, and the memory their copies take.
final class KeyTable {
    /// Nanoseconds after the last read in which answers are kept where memory is short.
    private static let answersKept: UInt64 = 2_000_000_000

    private let loop: EventLoop
    private let metrics: APIMetrics
    private let memoryLimit: Int
    private var entries: [Key: KeyEntry] = [:]
    private var counters: [ResourceName: ResourceCounters] = [:]
    private var touched: [KeyEntry] = []
    private let ledger = MemoryLedger()

    init(loop: EventLoop, metrics: APIMetrics, memoryLimit: Int) {
        self.loop = loop
        self.metrics = metrics
        self.memoryLimit = memoryLimit
    }

    /// The entry of `key`, when there is one.
    func find(_ key: Key) -> KeyEntry? { entries[key] }

    /// All entries.
    var all: some Collection<KeyEntry> { entries.values }

    /// The entry of `key`, made when there is none.
    func entry(_ key: Key, _ resource: Resource) -> KeyEntry {
        if let entry = entries[key] { return entry }
        let entry = KeyEntry(
            key: key, resource: resource, counters: counters(resource.name), loop: loop)
        entries[key] = entry
        return entry
    }

    /// The counters of a resource.
    func counters(_ name: ResourceName) -> ResourceCounters {
        if let known = counters[name] { return known }
        let made = ResourceCounters(name, metrics)
        counters[name] = made
        return made
    }

    /// Forgets `entry` when nobody needs it.
    func release(_ entry: KeyEntry) {
        guard !entry.isNeeded, entries[entry.key] === entry else { return }
        entries.removeValue(forKey: entry.key)
        entry.isReleased = true
    }

    /// Notes a read, for the order of eviction and for the store.
    func touch(_ entry: KeyEntry, at now: UInt64) {
        entry.lastRead = now
        guard !entry.isTouched else { return }
        entry.isTouched = true
        touched.append(entry)
    }

    /// Keys read and reads counted since the last call.
    func takeReads() -> (keys: [Key], counts: [ResourceName: ReadCounts]) {
        let keys = touched.map(\.key)
        for entry in touched { entry.isTouched = false }
        touched.removeAll(keepingCapacity: true)
        var counts: [ResourceName: ReadCounts] = [:]
        for (name, counters) in counters { counts[name] = counters.take() }
        return (keys, counts)
    }

    /// Replaces what `entry` holds.
    func install(_ copy: PayloadCopy?, in entry: KeyEntry) {
        entry.copy?.ledger = nil
        entry.copy = copy
        copy?.ledger = ledger
        trim(sparing: entry)
    }

    /// Adds variants to what `entry` holds.
    func add(_ variants: [PayloadVariant], to copy: PayloadCopy, of entry: KeyEntry) {
        copy.add(variants)
        trim(sparing: entry)
    }

    /// Drops the least recently read copies until the rest is within the limit.
    ///
    /// - Parameter sparing: An entry whose copy is being answered with: dropped by the next call at
    ///   the earliest.
    func trim(sparing spared: KeyEntry? = nil) {
        defer {
            metrics.copyBytes.set(ledger.heldBytes)
        }
        guard ledger.heldBytes > memoryLimit else { return }
        // Answers of a moment that is over go first: they are made again within a moment.
        let recently = EventLoop.monotonicNanoseconds() - Self.answersKept
        for entry in entries.values where entry.lastRead < recently {
            entry.copy?.forgetAnswers()
        }
        guard ledger.heldBytes > memoryLimit else { return }
        // Sorting is dear, so a tenth more than needed goes at once.
        let target = memoryLimit - memoryLimit / 10
        let candidates = entries.values.filter { $0.copy != nil && $0 !== spared }
            .sorted { $0.lastRead < $1.lastRead }
        for entry in candidates {
            guard ledger.heldBytes > target else { break }
            entry.copy?.ledger = nil
            entry.copy = nil
            metrics.evictions.increment()
            release(entry)
        }
    }

    /// Copies held.
    var copyCount: Int { entries.values.count { $0.copy != nil } }
}

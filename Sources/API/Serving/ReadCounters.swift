internal import Coordination
internal import FreshetModel
internal import Runtime

/// Reads of one resource: counted once per client request.
final class ResourceCounters {
    /// Since the store was last told.
    var pending = ReadCounts()
    let hits: Counter
    let misses: Counter
    let staleHits: Counter

    init(_ name: ResourceName, _ metrics: APIMetrics) {
        hits = metrics.reads.with(name.text, "hit")
        misses = metrics.reads.with(name.text, "miss")
        staleHits = metrics.reads.with(name.text, "stale")
    }

    func countHit(isFresh: Bool) {
        if isFresh {
            pending.hits += 1
            hits.increment()
        } else {
            pending.staleHits += 1
            staleHits.increment()
        }
    }

    func countMiss() {
        pending.misses += 1
        misses.increment()
    }

    /// What the store was not told yet; counting starts anew.
    func take() -> ReadCounts? {
        guard pending != ReadCounts() else { return nil }
        defer { pending = ReadCounts() }
        return pending
    }
}

package import Codecs
package import Coordination
package import FreshetModel

extension JSONText {
    /// Counters of the whole, and of each resource under `resources`.
    package mutating func statistics(_ statistics: [ResourceName: RefreshStatistics]) {
        object { json in
            json.members(of: statistics.values.reduce(into: RefreshStatistics()) { $0.add($1) })
            json.member("resources") { json in
                for (name, counters) in statistics.sorted(by: { $0.key < $1.key }) {
                    json.member(name.text) { $0.members(of: counters) }
                }
            }
        }
    }

    private mutating func members(of counters: RefreshStatistics) {
        let served = counters.hits + counters.staleHits
        let reads = served + counters.misses
        let successes = counters.successfulRefreshes
        let average = counters.totalDuration.inSeconds / Double(max(1, successes))
        member("total_refreshes", counters.totalRefreshes)
        member("successful_refreshes", successes)
        member("failed_refreshes", counters.failedRefreshes)
        member(
            "average_refresh_seconds",
            successes == 0 ? nil : (average * 1000).rounded() / 1000)
        member("last_refresh_at", counters.lastRefresh)
        member("active_keys", counters.activeKeys)
        member("cache_hits", counters.hits)
        member("cache_misses", counters.misses)
        member("stale_hits", counters.staleHits)
        member(
            "hit_rate",
            reads == 0 ? 0.0 : (Double(served) / Double(reads) * 10_000).rounded() / 10_000)
        member("source_bytes", counters.sourceBytes)
    }
}

extension RefreshStatistics {
    /// Adds the counters of another resource.
    package mutating func add(_ other: RefreshStatistics) {
        totalRefreshes += other.totalRefreshes
        successfulRefreshes += other.successfulRefreshes
        failedRefreshes += other.failedRefreshes
        totalDuration += other.totalDuration
        lastRefresh = [lastRefresh, other.lastRefresh].compactMap { $0 }.max()
        activeKeys += other.activeKeys
        hits += other.hits
        misses += other.misses
        staleHits += other.staleHits
        sourceBytes += other.sourceBytes
    }
}

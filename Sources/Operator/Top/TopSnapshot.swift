internal import Coordination
internal import FreshetModel

/// What `freshet top` shows at one moment.
struct TopSnapshot: Sendable {
    var now: Timestamp
    var queue: QueueStatus
    var running: [Job] = []
    var waiting: [Job] = []
    var retrying: [Job] = []
    var dead: [Job] = []
    var statistics = RefreshStatistics()

    /// Jobs that can be selected, in the order shown.
    var jobs: [Job] { running + waiting + retrying + dead }

    /// Lines that are shown of each list; more would not fit a screen.
    static let listed = 50

    static func take(from store: any RefreshStore) async throws(RefreshError) -> TopSnapshot {
        var snapshot = TopSnapshot(now: try await store.now(), queue: try await store.queue())
        snapshot.running = try await store.jobs(states: [.running], cursor: nil, limit: listed)
            .items
        snapshot.waiting = try await store.jobs(states: [.queued], cursor: nil, limit: listed).items
        snapshot.retrying =
            try await store.jobs(states: [.retrying], cursor: nil, limit: listed).items
        snapshot.dead = try await store.jobs(states: [.dead], cursor: nil, limit: listed).items
        for counters in try await store.statistics().values {
            snapshot.statistics.hits += counters.hits
            snapshot.statistics.misses += counters.misses
            snapshot.statistics.staleHits += counters.staleHits
            snapshot.statistics.successfulRefreshes += counters.successfulRefreshes
            snapshot.statistics.failedRefreshes += counters.failedRefreshes
        }
        return snapshot
    }
}

/// Counts per second between two snapshots.
struct TopRates: Equatable {
    var reads = 0.0
    var refreshes = 0.0
    var failures = 0.0

    init() {}

    init(from earlier: TopSnapshot, to later: TopSnapshot) {
        let seconds = (later.now - earlier.now).inSeconds
        guard seconds > 0 else { return }
        func rate(_ count: (RefreshStatistics) -> Int) -> Double {
            max(0, Double(count(later.statistics) - count(earlier.statistics)) / seconds)
        }
        reads = rate { $0.hits + $0.misses + $0.staleHits }
        refreshes = rate { $0.successfulRefreshes }
        failures = rate { $0.failedRefreshes }
    }
}

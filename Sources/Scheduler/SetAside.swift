internal import FreshetModel

/// Keys that the staleness monitor leaves alone for a while, although the store names them: dead
/// ones that cool down longer than most, and keys of resources that are not configured.
///
/// The store names the oldest stale keys first, so what is left alone would fill every tick's batch
/// for good. As many more are asked for as are set aside.
struct SetAside {
    /// Beyond it the earliest to return goes first; then it is looked at once too often.
    static let limit = 1000

    private var until: [Key: Duration] = [:]

    /// How many are set aside.
    var count: Int { until.count }

    func contains(_ key: Key) -> Bool { until[key] != nil }

    mutating func add(_ key: Key, until end: Duration) {
        if until.count >= Self.limit, let first = until.min(by: { $0.value < $1.value }) {
            until[first.key] = nil
        }
        until[key] = end
    }

    /// Forgets those whose time is over.
    mutating func expire(at now: Duration) {
        guard !until.isEmpty else { return }
        until = until.filter { now < $0.value }
    }
}

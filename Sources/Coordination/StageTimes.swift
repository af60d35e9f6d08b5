public import FreshetModel

/// How long one stage of refreshes took: how many of them at most each bound, and all together.
///
/// Workers have no port to be asked at, so they tell the store, which adds up, and an API process
/// shows the sums.
public struct StageTimes: Sendable, Hashable {
    /// What a refresh goes through in a worker.
    public enum Stage: String, Sendable, CaseIterable {
        /// From claimable to claimed, on Redis' clock.
        case wait
        /// The source's run.
        case source
        /// From the payload to its publication.
        case publish
    }

    /// Upper bounds in milliseconds; one more for all above is implied.
    public static let bounds = [1, 5, 20, 100, 500, 2000, 10_000, 60_000, 300_000, 1_800_000]

    /// Refreshes by the lowest bound they did not pass, one more than there are bounds.
    public var counts: [Int]
    /// Milliseconds of all of them.
    public var sum: Double

    /// Nothing yet.
    public init() {
        counts = Array(repeating: 0, count: Self.bounds.count + 1)
        sum = 0
    }
}

/// What the store can tell of all processes for those who watch.
public struct StoreObservation: Sendable {
    /// Times of all workers, ever since.
    public var times: [ResourceName: [StageTimes.Stage: StageTimes]] = [:]
    /// Per resource, how long its stalest key that somebody read has been stale without a job that
    /// would mend that; resources without one are left out.
    public var stale: [ResourceName: Duration] = [:]

    /// Nothing known.
    public init() {}
}

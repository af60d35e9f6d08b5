internal import Runtime

/// Finds the master of one slot for a connection of its own: a subscriber, blocking commands.
final class ClusterLocator: Locator {
    let name: String
    private let slot: Int?
    private let router: LoopBound<any Router>
    private var isFirst = true
    private var round = 0

    init(router: LoopBound<any Router>, slot: Int?) {
        self.router = router
        self.slot = slot
        name = slot.map { "the master of slot \($0)" } ?? "a node of the Redis Cluster"
    }

    func isMisplaced(_ error: RedisError) -> Bool { error.code == .moved }

    func locate(_ completion: @escaping (Result<Location, RedisError>) -> Void) {
        round += 1
        let mine = round
        // It is asked again because the last place was no good.
        let isFresh = !isFirst
        isFirst = false
        guard let cluster = router.value as? ClusterRouter else {
            preconditionFailure("slots without a Redis Cluster")
        }
        cluster.locate(slot, isFresh: isFresh) { [self] result in
            guard mine == round else { return }
            completion(result.map { Location(endpoint: $0) })
        }
    }

    func forget() { round += 1 }
}

/// Tries the seeds of a Cluster in turn, for a connection to any node.
final class SeedLocator: Locator {
    private let seeds: [RedisEndpoint]
    private var next = 0

    init(_ seeds: [RedisEndpoint]) { self.seeds = seeds }

    var name: String { "a node of the Redis Cluster" }
    func isMisplaced(_ error: RedisError) -> Bool { false }
    func locate(_ completion: @escaping (Result<Location, RedisError>) -> Void) {
        defer { next += 1 }
        completion(.success(Location(endpoint: seeds[next % seeds.count])))
    }
    func forget() {}
}

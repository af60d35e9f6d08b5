internal import Runtime

/// Knows which process a connection should go to, each time it connects.
protocol Locator: AnyObject {
    /// What is looked for, for messages.
    var name: String { get }
    /// Whether a refusal of the server means that the place has changed, so that the connection must
    /// be given up and looked for again.
    func isMisplaced(_ error: RedisError) -> Bool
    /// Answers once, on the loop, perhaps at once; a newer call or `forget` drops an older one.
    func locate(_ completion: @escaping (Result<Location, RedisError>) -> Void)
    func forget()
}

struct Location: Hashable {
    var endpoint: RedisEndpoint
    /// Whether the process must say that it is a master before it is used.
    var mustBeMaster = false
}

/// One server, always in the same place.
final class FixedLocator: Locator {
    private let endpoint: RedisEndpoint

    init(_ endpoint: RedisEndpoint) { self.endpoint = endpoint }

    var name: String { endpoint.description }
    func isMisplaced(_ error: RedisError) -> Bool { false }
    func locate(_ completion: @escaping (Result<Location, RedisError>) -> Void) {
        completion(.success(Location(endpoint: endpoint)))
    }
    func forget() {}
}

extension RedisURL {
    /// Who finds the process for a connection to this URL.
    func locator(on loop: EventLoop) -> sending any Locator {
        switch topology {
        case .server(let endpoint): FixedLocator(endpoint)
        case .sentinel(let sentinels, let master):
            SentinelLocator(
                loop: loop, sentinels: sentinels, master: master,
                credentials: sentinelCredentials)
        case .cluster(let seeds): SeedLocator(seeds)
        }
    }
}

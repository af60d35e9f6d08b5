internal import FreshetModel
internal import Synchronization

/// The circuit breakers of a worker, one per source that can be away: a host, a database, or the
/// closure of a resource.
final class Breakers: Sendable {
    private let breakers = Mutex<[String: CircuitBreaker]>([:])

    /// What fails together when it cannot be reached; `nil` when the name is only known per key.
    ///
    ///     http, csv by URL   scheme://host:port
    ///     postgres           scheme://host:port
    ///     all else           resource NAME
    static func name(for resource: Resource) -> String? {
        switch resource.source {
        case .http(let source): return authority(of: source.url)
        case .postgres(let source): return authority(of: source.url)
        case .csv(let source):
            if let url = source.url { return authority(of: url) }
            return "resource \(resource.name)"
        case .command, .directory, nil: return "resource \(resource.name)"
        }
    }

    private static func authority(of url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let rest = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        // Credentials are no part of the place, and no part of a log line.
        let host = rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
        // A host made of parameters differs from key to key.
        guard !host.isEmpty, !host.contains("{") else { return nil }
        return url[..<scheme.upperBound] + host.lowercased()
    }

    func admit(_ name: String, at now: Duration) -> CircuitBreaker.Admission {
        breakers.withLock { $0[name]?.admit(at: now) ?? .run }
    }

    /// Returns whether that closed the breaker.
    func reached(_ name: String) -> Bool {
        // A closed breaker without failures is not kept: the common case writes nothing.
        breakers.withLock { breakers in
            guard var breaker = breakers.removeValue(forKey: name) else { return false }
            return breaker.reached()
        }
    }

    /// Returns the pause when that opened the breaker.
    func missed(_ name: String, key: Key, at now: Duration) -> Duration? {
        breakers.withLock { $0[name, default: CircuitBreaker()].missed(key, at: now) }
    }

    func abandoned(_ name: String, at now: Duration) {
        breakers.withLock { $0[name]?.abandoned(at: now) }
    }
}

/// What a server says of itself; nil where it does not say or the user may not ask.
package struct RedisServerFacts: Hashable, Sendable {
    /// `redis_version` of INFO.
    package var version: String?
    /// `master` or `slave`.
    package var role: String?
    /// Replicas connected to it now.
    package var connectedReplicas: Int?
    /// Whether it runs as a node of a Cluster.
    package var isCluster: Bool?
    /// Bytes; 0 is without a limit.
    package var maxMemory: Int64?
    /// `noeviction` and others.
    package var maxMemoryPolicy: String?
    package var appendOnly: Bool?
    /// `always`, `everysec` or `no`.
    package var appendFsync: String?

    /// `none`, `everysec` or `always`: what a write survives when the machine stops.
    package var durability: String? {
        guard let appendOnly else { return nil }
        if !appendOnly { return "none" }
        return appendFsync == "no" ? "none" : appendFsync
    }

    init() {}

    mutating func take(info text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...])
            switch line[..<colon] {
            case "redis_version": version = value
            case "role": role = value
            case "connected_slaves": connectedReplicas = Int(value)
            case "cluster_enabled": isCluster = value == "1"
            // INFO tells these to those who may not use CONFIG.
            case "maxmemory": maxMemory = Int64(value)
            case "maxmemory_policy": maxMemoryPolicy = value
            case "aof_enabled": appendOnly = value == "1"
            default: continue
            }
        }
    }

    mutating func take(config reply: RedisValue) {
        guard let pair = reply.array, pair.count == 2, let name = pair[0].text,
            let value = pair[1].text
        else { return }
        switch name {
        case "maxmemory": maxMemory = Int64(value)
        case "maxmemory-policy": maxMemoryPolicy = value
        case "appendonly": appendOnly = value == "yes"
        case "appendfsync": appendFsync = value
        default: return
        }
    }
}

extension ConnectionCore {
    /// Asks in one write; a command that the user may not run leaves its facts nil. Any other error
    /// ends the asking.
    func serverFacts(
        deadline: UInt64, _ completion: @escaping (Result<RedisServerFacts, RedisError>) -> Void
    ) {
        var facts = RedisServerFacts()
        var failure: RedisError?
        func note(_ result: Result<RedisValue, RedisError>) -> RedisValue? {
            switch result {
            case .success(let value): return value
            case .failure(let error):
                if error.code != .denied, error.code != .server("ERR") { failure = error }
                return nil
            }
        }
        submit(["INFO"], deadline: deadline) { result in
            if let text = note(result)?.text { facts.take(info: text) }
        }
        let names = ["maxmemory", "maxmemory-policy", "appendonly", "appendfsync"]
        for name in names {
            submit(["CONFIG", "GET", .text(name)], deadline: deadline) { result in
                if let reply = note(result) { facts.take(config: reply) }
                guard name == names.last else { return }
                completion(failure.map { .failure($0) } ?? .success(facts))
            }
        }
    }
}

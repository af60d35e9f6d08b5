internal import Redis
internal import Synchronization

/// What a check of the servers behind a store found.
public struct ServerCheck: Sendable, Hashable {
    /// What a queued job survives: the least of all servers.
    public var durability: Durability
    /// Settings under which jobs can be lost, each a sentence for people.
    public var warnings: [String]
}

extension RedisRefreshStore {
    /// Asks the servers how they are set; remembers the durability for `durability`.
    public func checkServers() async throws(RefreshError) -> ServerCheck {
        let facts: [RedisServerFacts]
        do {
            facts = try await client.serverFacts(deadline: deadlines.write)
        } catch {
            throw RefreshError(error)
        }
        var check = ServerCheck(durability: .always, warnings: [])
        for server in facts {
            switch server.durability {
            case "always": break
            case "everysec" where check.durability == .always: check.durability = .everysec
            case "everysec": break
            default: check.durability = .none
            }
            if server.appendOnly == false {
                check.warnings.append(
                    "Redis has no append-only file (appendonly no): queued jobs and payloads do "
                        + "not outlive it")
            }
            if let policy = server.maxMemoryPolicy, policy != "noeviction", server.maxMemory != 0 {
                check.warnings.append(
                    "Redis may evict keys (maxmemory-policy \(policy)): jobs and payloads can "
                        + "vanish; set noeviction")
            }
        }
        if waitReplicas > 0 { check.durability = .replicated }
        knownDurability.withLock { [check] in $0 = check.durability }
        return check
    }

    /// What `checkServers` found last; `none` before.
    public var durability: Durability { knownDurability.withLock { $0 } }
}

internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// Statuses of keys, contract section 4.3.
struct StatusHandler {
    let store: any RefreshStore
    let checks: StatusChecks
    let table: KeyTable
    let loader: PayloadLoader
    let resolver: KeyResolver

    /// `GET …/status`.
    func status(_ key: Key) async throws(Problem) -> HTTPReply {
        let statuses = try await read([key])
        guard let status = statuses.first else {
            throw Problem(503, "corrupt_data", "The store told no status.")
        }
        return JSONAnswer.value { $0.status(status) }
    }

    /// `GET /v1/resources`.
    func list(_ query: inout StrictQuery, caller: Caller) async throws(Problem) -> HTTPReply {
        let limit = try query.takeLimit()
        let cursor = try query.takeCursor(of: "resources")
        try query.finish()
        let page: Page<Key>
        do {
            page = try await store.keys(cursor: cursor, limit: limit)
        } catch {
            throw Problem(error)
        }
        let keys = page.items.filter { caller.access.allows($0.resource) }
        let statuses = keys.isEmpty ? [] : try await read(keys)
        return JSONAnswer.page(
            statuses, nextCursor: Cursor.seal(page.nextCursor, of: "resources")
        ) { $0.status($1) }
    }

    /// Reads statuses that a client will be told of: no lower version is served from then on.
    private func read(_ keys: [Key]) async throws(Problem) -> [KeyStatus] {
        do {
            let statuses = try await checks.check(keys)
            for status in statuses {
                if let entry = table.find(status.key) { loader.told(status.version, of: entry) }
            }
            return statuses
        } catch {
            throw Problem(error)
        }
    }

    /// `GET /api/cache/stats`.
    func cacheStatistics(caller: Caller) async throws(Problem) -> HTTPReply {
        let names = resolver.names.filter { caller.access.allows($0) }
        // A resource stands for the key without parameters, or with their defaults.
        var keys: [ResourceName: Key] = [:]
        for name in names { keys[name] = resolver.standardKey(of: name) }
        var byKey: [Key: KeyStatus] = [:]
        let counters: [ResourceName: RefreshStatistics]
        do {
            let wanted = names.compactMap { keys[$0] }
            for status in wanted.isEmpty ? [] : try await checks.check(wanted) {
                byKey[status.key] = status
            }
            counters = try await store.statistics()
        } catch {
            throw Problem(error)
        }
        return JSONAnswer.object { json in
            for name in names {
                let status = keys[name].flatMap { byKey[$0] }
                let payload = status?.payload.flatMap {
                    $0.isKept(at: status?.now ?? $0.refreshedAt) ? $0 : nil
                }
                json.member(name.text) {
                    $0.member("file_count", payload?.facts.fileCount)
                    $0.member("item_count", payload?.facts.itemCount)
                    $0.member(
                        "age_seconds",
                        payload.flatMap { payload in
                            status.map { max(.zero, $0.now - payload.refreshedAt) }
                        })
                    $0.member(
                        "is_populated",
                        payload != nil || (keys[name] == nil && counters[name]?.activeKeys ?? 0 > 0)
                    )
                    $0.member("rebuild_in_progress", status?.state.isUnderWay ?? false)
                }
            }
        }
    }
}

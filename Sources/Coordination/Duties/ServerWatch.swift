internal import FreshetModel
package import Runtime

/// Asks the servers now and then how they are set, and warns once of each setting under which jobs
/// can be lost. Keeps `RedisRefreshStore.durability` true.
package struct ServerWatch: Service {
    /// Between two checks; settings change when somebody changes them, or after a failover.
    static let interval = Duration.seconds(30)

    private let store: RedisRefreshStore
    private let loop: EventLoop

    package init(store: RedisRefreshStore, loop: EventLoop) {
        self.store = store
        self.loop = loop
    }

    package func run() async throws {
        var warned: Set<String> = []
        var isUnreachable = false
        while !Task.isCancelled, !isShuttingDown {
            var pause = Self.interval
            do throws(RefreshError) {
                let check = try await store.checkServers()
                if isUnreachable { Log.info("redis.reached") }
                isUnreachable = false
                for warning in check.warnings where warned.insert(warning).inserted {
                    Log.warning("redis.settings", ["message": warning])
                }
            } catch {
                if !isUnreachable { Log.warning("redis.unreachable", ["error": "\(error)"]) }
                isUnreachable = true
                pause = .seconds(1)
            }
            await withTaskGroup { group in
                group.addTask { try? await gracefulShutdown() }
                group.addTask { [loop, pause] in await loop.sleep(for: pause) }
                await group.next()
                group.cancelAll()
            }
        }
    }
}

internal import Coordination
package import FreshetModel
internal import Runtime
internal import TestSupport

/// Gives `body` a store of its own.
///
/// - Parameter clock: Replaces the store's clock.
package func withStore(
    partitions: Int = 1, clock: (@Sendable () -> Timestamp)? = nil,
    _ body: (HookedStore) async throws -> Void
) async throws {
    let redis = try await PrivateRedis.start()
    let loop = EventLoop(name: "store")
    BackgroundThread.start { loop.run() }
    var settings = RedisSettings()
    settings.url = redis.url
    settings.partitions = partitions
    let store = try RedisRefreshStore(
        settings: settings, loop: loop, name: "test", clock: clock)
    do {
        try await body(HookedStore(store))
    } catch {
        store.close()
        loop.stop()
        await redis.stop()
        throw error
    }
    store.close()
    loop.stop()
    await redis.stop()
}

import FreshetModel
import Runtime
import TestSupport

@testable import Coordination

/// A store on a Redis of its own, whose data the test changes from outside.
struct LiveStore {
    let redis: PrivateRedis
    let store: RedisRefreshStore

    static func run(
        _ arguments: [String] = [], waitReplicas: Int = 0, tcp: Bool = false,
        _ body: (LiveStore) async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis.start(arguments, tcp: tcp)
        let loop = EventLoop(name: "live-store")
        BackgroundThread.start { loop.run() }
        var settings = RedisSettings()
        settings.url = redis.url
        settings.waitReplicas = waitReplicas
        var failure: (any Error)?
        do {
            let store = try RedisRefreshStore(settings: settings, loop: loop, name: "live-store")
            do {
                try await body(LiveStore(redis: redis, store: store))
            } catch {
                failure = error
            }
            store.close()
        } catch {
            failure = error
        }
        loop.stop()
        await redis.stop()
        if let failure { throw failure }
    }

    /// Calls with the clock of the server: what is asked for is asked for now.
    var scene: Scene { Scene(store: store, clock: HandClock()) }

    /// One command on what the store keeps, whose names begin with `{freshet:0}:`.
    @discardableResult
    func raw(_ command: String, _ name: String, _ words: String...) async throws -> String {
        try await redis.cli([command, "{freshet:0}:\(name)"] + words)
    }
}

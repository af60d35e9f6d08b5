package import FreshetModel
package import Redis
package import Runtime

extension RedisRefreshStore {
    /// Opens a store on `loop`: connections are made, and made again, by themselves.
    ///
    /// - Parameters:
    ///   - name: Shown by CLIENT LIST, such as `freshet-api`.
    ///   - clock: Replaces Redis' clock, for tests.
    /// - Throws: `RedisURLError` when `settings.url` is none.
    package convenience init(
        settings: RedisSettings, loop: EventLoop, name: String,
        clock: (@Sendable () -> Timestamp)? = nil
    ) throws(RedisURLError) {
        let url = try RedisURL(parsing: settings.url ?? "redis://127.0.0.1:6379")
        let scripts = RedisScripts(RefreshScripts.all)
        self.init(
            client: RedisClient(loop: loop, url: url, name: name, scripts: scripts),
            bulk: RedisClient(
                loop: loop, url: url, name: name + "-bulk", scripts: RedisScripts([])),
            waker: RedisClient(
                loop: loop, url: url, name: name + "-waker", scripts: RedisScripts([]),
                options: .blocking),
            namespace: settings.namespace, partitions: settings.partitions,
            waitReplicas: settings.waitReplicas, clock: clock)
    }

    /// Closes the connections; calls under way fail. The store cannot be used after.
    package func close() {
        client.close()
        bulk.close()
        waker.close()
        hub.close()
    }
}

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
        let client = RedisClient(loop: loop, url: url, name: name, scripts: scripts)
        // A blocking command names keys of one hash slot; without a Cluster slots do not matter.
        let isCluster = if case .cluster = url.topology { true } else { false }
        let wakers = (0..<(isCluster ? settings.partitions : 1)).map { partition in
            client.dedicatedConnection(
                forKey: KeySpace(namespace: settings.namespace, partition: partition).wake,
                name: name + "-waker")
        }
        self.init(
            client: client,
            bulk: RedisClient(loop: loop, url: url, name: name + "-bulk"), wakers: wakers,
            namespace: settings.namespace, partitions: settings.partitions,
            waitReplicas: settings.waitReplicas, clock: clock)
    }

    /// Closes the connections; calls under way fail. The store cannot be used after.
    package func close() {
        client.close()
        bulk.close()
        for waker in wakers { waker.close() }
        hub.close()
    }
}

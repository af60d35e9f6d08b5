internal import Coordination
public import FreshetModel
internal import Runtime

/// The HTTP API in a Swift program, without a worker; some other process refreshes the resources.
///
///     try await FreshetAPI(
///         redisURL: "redis://127.0.0.1:6379", resources: [Resource(name: "films")]
///     ).run()
public struct FreshetAPI: Sendable {
    /// Everything the API is told: address, keys, limits, resources by name.
    public var settings: Settings

    /// An API for `resources`.
    ///
    /// - Parameter listen: `HOST:PORT`; beyond loopback only with `settings.api.keys`.
    public init(redisURL: String, resources: [Resource], listen: String = "127.0.0.1:8080") {
        settings = Settings()
        settings.redis.url = redisURL
        settings.api.listen = listen
        for resource in resources { settings.resources[resource.name] = resource }
    }

    /// An API as `settings` say.
    public init(settings: Settings) { self.settings = settings }

    /// Serves until the program is told to stop, by SIGTERM or SIGINT, or the task is cancelled.
    ///
    /// - Parameter stopsOnSignals: Whether those signals are taken over; once in a process.
    /// - Throws: When the URL is none or the address is taken. Nothing that Redis does.
    public func run(stopsOnSignals: Bool = true) async throws {
        let settings = settings
        try await Host.run(
            settings, name: "freshet-api", grace: .seconds(30), stopsOnSignals: stopsOnSignals
        ) { store, loop in
            [try await Host.api(settings, store, loop)]
        }
    }
}

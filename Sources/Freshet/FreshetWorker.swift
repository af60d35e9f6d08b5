internal import Coordination
public import FreshetModel
public import RefreshSources
internal import Runtime
internal import Scheduler
internal import Worker

/// A worker in a Swift program: refreshes resources whose sources are closures or configured ones,
/// runs their schedules, and serves them over HTTP when asked to.
///
///     import Freshet
///
///     var films = Resource(name: "films")
///     films.freshness.freshFor = .duration(.seconds(600))
///     films.schedule = .every(.seconds(3600))
///
///     try await FreshetWorker(
///         redisURL: "redis://127.0.0.1:6379",
///         resources: [films: ClosureSource { context in try .json(await loadFilms()) }],
///         servingOn: "127.0.0.1:8080"
///     ).run()
///
/// Any number of such programs and of `freshet worker` processes share the work; a key is refreshed
/// by one of them at a time.
public struct FreshetWorker: Sendable {
    /// Everything but the sources: concurrency, limits, times, and the resources by name.
    public var settings: Settings
    /// The sources of the resources that this program serves; others it hands back.
    public var sources: [ResourceName: any RefreshSource]
    /// Whether an API is served on `settings.api.listen`.
    public var servesAPI: Bool

    /// A worker for `resources`.
    ///
    /// - Parameters:
    ///   - redisURL: `redis://`, `unix://`, `redis+sentinel://` or `redis+cluster://`.
    ///   - resources: Each with its source.
    ///   - concurrency: Jobs at once.
    ///   - listen: `HOST:PORT` for an API in the same process; `nil`: none.
    public init(
        redisURL: String, resources: KeyValuePairs<Resource, any RefreshSource> = [:],
        concurrency: Int = 4, servingOn listen: String? = nil
    ) {
        settings = Settings()
        settings.redis.url = redisURL
        settings.worker.concurrency = concurrency
        sources = [:]
        servesAPI = listen != nil
        if let listen { settings.api.listen = listen }
        for (resource, source) in resources { add(resource, source: source) }
    }

    /// A worker as `settings` say, such as another program read them; closures can be added.
    ///
    /// - Throws: `SourceError` when a configured source cannot run.
    public init(settings: Settings) throws(SourceError) {
        self.settings = settings
        sources = [:]
        servesAPI = false
        for resource in settings.resources.values {
            guard let definition = resource.source else { continue }
            sources[resource.name] = try SourceFactory.make(definition, for: resource)
        }
    }

    /// Adds a resource, or replaces the one of its name.
    public mutating func add(_ resource: Resource, source: any RefreshSource) {
        settings.resources[resource.name] = resource
        sources[resource.name] = source
    }

    /// Adds a resource whose payloads `source` makes.
    public mutating func add(
        _ resource: Resource,
        source: @escaping @Sendable (SourceContext) async throws -> SourceOutcome
    ) {
        add(resource, source: ClosureSource(source))
    }

    /// Works until the program is told to stop or the task is cancelled.
    ///
    /// The first SIGTERM or SIGINT lets jobs finish up to `settings.worker.drainTimeout`; a second
    /// one, and cancellation, hands them back at once.
    ///
    /// - Parameter stopsOnSignals: Whether those signals are taken over; once in a process.
    /// - Throws: When the URL is none, or the API's address is taken. Nothing that Redis does.
    public func run(stopsOnSignals: Bool = true) async throws {
        let settings = settings
        let sources = sources
        let servesAPI = servesAPI
        let grace = WorkerService.gracePeriod(settings)
        try await Host.run(
            settings, name: "freshet-worker", grace: grace, stopsOnSignals: stopsOnSignals
        ) { store, loop in
            var services: [any Service] = [
                SchedulerService(
                    settings: settings, store: store, id: ProcessName.make(), loop: loop),
                try WorkerService(
                    settings: settings, store: store, version: Host.version, loop: loop
                ) { sources[$0.name] },
            ]
            if servesAPI { services.append(try await Host.api(settings, store, loop)) }
            return services
        }
    }
}

import API
import Codecs
import Coordination
import FreshetModel
import Runtime
import TestSupport

/// A served API with a store of its own and a worker in the hands of the test.
struct APIFixture: Sendable {
    let port: Int
    let store: GatedStore
    let settings: Settings
    let service: APIService

    static func name(_ text: String) -> ResourceName {
        guard let name = ResourceName(text) else { preconditionFailure("not a name: \(text)") }
        return name
    }

    static func key(_ text: String) -> Key {
        guard let key = Key(text) else { preconditionFailure("not a key: \(text)") }
        return key
    }

    /// Resources of most tests: `cinema` waits when cold, `films` is raw, `events` has a parameter.
    static func settings(_ change: (inout Settings) -> Void = { _ in }) -> Settings {
        var settings = Settings()
        settings.api.listen = "127.0.0.1:0"
        settings.defaultResource = name("cinema")
        var cinema = Resource(name: name("cinema"))
        cinema.path = "/api/cinema"
        cinema.retry.maximumRetries = 1
        var films = Resource(name: name("films"))
        films.response = .raw
        var events = Resource(name: name("events"))
        events.path = "/api/events/{city}"
        events.parameters = [
            ParameterRule(name: "city", pattern: "[a-z-]{1,40}", defaultValue: "oslo"),
            ParameterRule(name: "page", pattern: "[0-9]{1,3}", defaultValue: "1"),
        ]
        var slow = Resource(name: name("slow"))
        slow.cold = .unavailable
        for resource in [cinema, films, events, slow] {
            settings.resources[resource.name] = resource
        }
        change(&settings)
        return settings
    }

    /// Serves for as long as `body` runs.
    static func run(
        _ settings: Settings = settings(), partitions: Int = 1,
        _ body: (APIFixture) async throws -> Void
    ) async throws {
        try await serve(
            settings, store: { _ in GatedStore(MemoryRefreshStore(partitions: partitions)) }, body)
    }

    /// Serves from `redis` for as long as `body` runs.
    static func run(
        _ settings: Settings = settings(), on redis: PrivateRedis,
        _ body: (APIFixture) async throws -> Void
    ) async throws {
        var settings = settings
        settings.redis.url = redis.url
        let redisSettings = settings.redis
        var opened: RedisRefreshStore?
        try await serve(
            settings,
            store: { loop in
                let store = try RedisRefreshStore(
                    settings: redisSettings, loop: loop, name: "api-test")
                opened = store
                return GatedStore(store)
            }, closing: { opened?.close() }, body)
    }

    private static func serve(
        _ settings: Settings, store: (EventLoop) throws -> GatedStore,
        closing: () -> Void = {}, _ body: (APIFixture) async throws -> Void
    ) async throws {
        let thread = EventLoopThread.start("api-test")
        let store = try store(thread.loop)
        let service = try APIService(
            settings: settings, store: store, loop: thread.loop, version: "test",
            metrics: Metrics(), durability: { .everysec })
        let port = try await service.start()
        let trigger = ShutdownTrigger()
        let serving = Task {
            try await ShutdownTrigger.$current.withValue(trigger) { try await service.run() }
        }
        var failure: (any Error)?
        do {
            try await body(
                APIFixture(port: port, store: store, settings: settings, service: service))
        } catch {
            failure = error
        }
        trigger.trigger()
        try await serving.value
        closing()
        thread.stop()
        if let failure { throw failure }
    }

    // MARK: asking

    /// Sends a request over a connection of its own.
    func send(
        _ method: String, _ target: String, _ fields: [String: String] = [:], body: String = ""
    ) async throws -> WireResponse {
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            BackgroundThread.start {
                do {
                    let connection = try WireConnection(port: port)
                    let began = ContinuousClock.now
                    try connection.send(method, target, fields, Array(body.utf8))
                    var response = try connection.response(to: method)
                    response.elapsed = ContinuousClock.now - began
                    continuation.resume(returning: response)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    func get(_ target: String, _ fields: [String: String] = [:]) async throws -> WireResponse {
        try await send("GET", target, fields)
    }

    func post(_ target: String, body: String = "") async throws -> WireResponse {
        try await send("POST", target, body: body)
    }

    func events(_ target: String, _ fields: [String: String] = [:]) async throws -> EventClient {
        try await EventClient.open(port: port, target, fields)
    }

    /// Reads of `resource` counted so far, however they were answered.
    func reads(_ resource: String) async throws -> Int {
        try await get("/metrics").text.split(separator: "\n")
            .filter { $0.hasPrefix("freshet_reads_total{resource=\"\(resource)\"") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            .reduce(0, +)
    }

    // MARK: working

    /// Claims the next job, waiting for one.
    func claim(_ deadline: Duration = .seconds(5)) async throws -> Claim {
        try await eventualValue("a job to claim", deadline: deadline) {
            for partition in 0..<store.partitions {
                let batch = try await store.base.claim(
                    ClaimRequest(worker: "test-worker", partition: partition))
                if let claim = batch.claims.first { return claim }
            }
            return nil
        }
    }

    /// Publishes `text` under `claim`.
    func publish(
        _ claim: Claim, _ text: String, type: String = "application/json",
        freshFor: FreshFor = .duration(.seconds(300)), keepFor: Duration? = .seconds(3600),
        encoding: PayloadEncoding = .identity
    ) async throws {
        var payload = Payload(bytes: Array(text.utf8), contentType: type)
        payload.facts.contentTag = SHA256.contentTag(payload.bytes)
        if payload.isJSON {
            payload.facts.itemCount = try JSONScanner.scan(payload.bytes).elementCount
        }
        switch encoding {
        case .identity: break
        case .gzip: payload.bytes = try Compression.compress(payload.bytes, .gzip)
        case .zstd: payload.bytes = try Compression.compress(payload.bytes, .zstd)
        }
        payload.encoding = encoding
        _ = try await store.base.publish(
            Publication(
                claim: claim, content: .payload(payload), freshFor: freshFor, keepFor: keepFor),
            claimNext: nil)
    }

    /// Asks for `key`, claims it and publishes `text`: what is kept before a test begins.
    func keep(
        _ key: String, _ text: String, type: String = "application/json",
        freshFor: FreshFor = .duration(.seconds(300)), keepFor: Duration? = .seconds(3600),
        encoding: PayloadEncoding = .identity
    ) async throws {
        _ = try await store.base.request(RefreshRequest(key: Self.key(key)))
        try await publish(
            try await claim(), text, type: type, freshFor: freshFor, keepFor: keepFor,
            encoding: encoding)
    }

    /// Fails `claim`; without `retryAfter` the job is dead.
    func fail(_ claim: Claim, _ error: String, retryAfter: Duration? = nil) async throws {
        _ = try await store.base.fail(
            AttemptFailure(claim: claim, error: error, retryAfter: retryAfter))
    }
}

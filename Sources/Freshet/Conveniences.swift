public import Coordination
internal import FoundationEssentials
public import FreshetModel
public import RefreshSources
internal import Runtime

extension ResourceName: ExpressibleByStringLiteral {
    /// The name as it stands in a program; one that breaks the grammar ends it at once.
    public init(stringLiteral value: String) {
        guard let name = ResourceName(value) else {
            preconditionFailure("not the name of a resource: \(value)")
        }
        self = name
    }
}

extension SourceOutcome {
    /// A JSON payload of what `value` encodes to; dates as RFC 3339.
    public static func json(_ value: some Encodable) throws -> SourceOutcome {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return .payload(
            Payload(bytes: Array(try encoder.encode(value)), contentType: "application/json"))
    }

    /// A payload of text.
    public static func text(
        _ text: String, contentType: String = "text/plain; charset=utf-8"
    ) -> SourceOutcome {
        .payload(Payload(bytes: Array(text.utf8), contentType: contentType))
    }
}

/// Gives `body` the store behind a Redis: to ask for refreshes, read payloads, watch events.
///
/// - Parameters:
///   - redisURL: `redis://`, `unix://`, `redis+sentinel://` or `redis+cluster://`.
///   - namespace: Prefix of every key, as the workers have it.
///   - partitions: As the workers have them.
/// - Throws: When the URL is none, and what `body` throws.
public func withFreshetStore<Value: Sendable>(
    redisURL: String, namespace: String = "freshet", partitions: Int = 1,
    _ body: @Sendable (any RefreshStore) async throws -> Value
) async throws -> Value {
    var settings = RedisSettings()
    settings.url = redisURL
    settings.namespace = namespace
    settings.partitions = partitions
    let thread = EventLoopThread.start("freshet-store")
    defer { thread.stop() }
    let store = try RedisRefreshStore(settings: settings, loop: thread.loop, name: "freshet-store")
    defer { store.close() }
    return try await body(store)
}

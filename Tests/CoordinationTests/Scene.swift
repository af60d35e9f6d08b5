import FreshetModel
import Redis
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import Coordination

/// A clock that moves when a test says so.
final class HandClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ start: Timestamp = Timestamp(milliseconds: 1_795_226_400_000)) { time = Mutex(start) }

    var now: Timestamp { time.withLock { $0 } }

    /// Moves on; back when negative.
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A store with a clock turned by hand, and short words for what tests do with it.
struct Scene: Sendable {
    let store: any RefreshStore
    let clock: HandClock

    private static let loop: EventLoop = {
        let loop = EventLoop(name: "conformance")
        BackgroundThread.start { loop.run() }
        return loop
    }()
    private static let count = Atomic(0)

    /// Runs `body` on a store of its own.
    static func run(
        _ kind: StoreKind, partitions: Int = 1, _ body: (Scene) async throws -> Void
    ) async throws {
        let clock = HandClock()
        switch kind {
        case .memory:
            let store = MemoryRefreshStore(partitions: partitions) { clock.now }
            try await body(Scene(store: store, clock: clock))
        case .redis:
            let store = try redis(partitions: partitions) { clock.now }
            defer { store.close() }
            try await body(Scene(store: store, clock: clock))
        }
    }

    /// A Redis store in a namespace of its own; its deadlines never matter here.
    static func redis(
        partitions: Int, clock: (@Sendable () -> Timestamp)?
    ) throws -> RedisRefreshStore {
        let server = try #require(PrivateRedis.current)
        let url = try RedisURL(parsing: server.url)
        let client = RedisClient(
            loop: loop, url: url, scripts: RedisScripts(RefreshScripts.all))
        var deadlines = RedisRefreshStore.Deadlines()
        deadlines.read = .seconds(60)
        deadlines.write = .seconds(60)
        let namespace = "t\(count.add(1, ordering: .relaxed).newValue)"
        return RedisRefreshStore(
            client: client, bulk: RedisClient(loop: loop, url: url),
            wakers: [client.dedicatedConnection(forKey: "wake", name: "waker")],
            namespace: namespace, partitions: partitions, deadlines: deadlines, clock: clock)
    }

    func advance(_ duration: Duration) { clock.advance(duration) }

    // MARK: asking

    func outcome(
        _ key: String, _ edit: (inout RefreshRequest) -> Void = { _ in }
    ) async throws -> RequestOutcome {
        var request = RefreshRequest(key: try makeKey(key))
        edit(&request)
        return try await store.request(request)
    }

    /// Asks, and expects a job.
    @discardableResult
    func ask(
        _ key: String, _ edit: (inout RefreshRequest) -> Void = { _ in }
    ) async throws -> RefreshReceipt {
        try accepted(await outcome(key, edit))
    }

    func accepted(_ outcome: RequestOutcome) throws -> RefreshReceipt {
        guard case .accepted(let receipt) = outcome else { throw Unexpected("\(outcome)") }
        return receipt
    }

    // MARK: working

    func claims(
        _ limit: Int = 100, worker: String = "w1", lease: Duration = .seconds(10)
    ) async throws -> [Claim] {
        try await store.claim(ClaimRequest(worker: worker, limit: limit, lease: lease)).claims
    }

    /// Claims one job, and expects that there is one.
    func claim(worker: String = "w1", lease: Duration = .seconds(10)) async throws -> Claim {
        try #require(await claims(1, worker: worker, lease: lease).first)
    }

    func take(_ slots: [Slot], maximum: Int) async throws -> [Bool] {
        try await store.takeSlots(slots, maximum: maximum)
    }

    func publication(
        _ claim: Claim, _ text: String = "[1,2]", fresh: FreshFor = .duration(.seconds(60)),
        keep: Duration? = .seconds(3600)
    ) -> Publication {
        var payload = Payload(bytes: Array(text.utf8), contentType: "application/json")
        payload.facts.contentTag = String(text.hashValue, radix: 16)
        return Publication(
            claim: claim, content: .payload(payload), freshFor: fresh, keepFor: keep)
    }

    @discardableResult
    func publish(
        _ claim: Claim, _ text: String = "[1,2]", fresh: FreshFor = .duration(.seconds(60)),
        keep: Duration? = .seconds(3600)
    ) async throws -> PublicationOutcome {
        try await store.publish(
            publication(claim, text, fresh: fresh, keep: keep), claimNext: nil
        ).outcome
    }

    @discardableResult
    func renew(
        _ claim: Claim, fresh: FreshFor = .duration(.seconds(60)),
        keep: Duration? = .seconds(3600)
    ) async throws -> PublicationOutcome {
        try await store.publish(
            Publication(claim: claim, content: .renewal, freshFor: fresh, keepFor: keep),
            claimNext: nil
        ).outcome
    }

    @discardableResult
    func fail(
        _ claim: Claim, _ error: String = "no luck", retryAfter: Duration? = .seconds(30)
    ) async throws -> FailureOutcome {
        try await store.fail(AttemptFailure(claim: claim, error: error, retryAfter: retryAfter))
    }

    /// Asks for a refresh of each key and publishes it, one after the other, 1 ms apart.
    func fill(
        _ keys: [String], fresh: FreshFor = .duration(.seconds(60)),
        keep: Duration? = .seconds(3600)
    ) async throws {
        for key in keys {
            try await ask(key)
            try await publish(claim(), fresh: fresh, keep: keep)
            advance(.milliseconds(1))
        }
    }

    @discardableResult
    func maintain() async throws -> MaintenanceReport {
        try await store.maintain(partition: 0, keepJobs: .seconds(3600))
    }

    func cancel(_ id: JobID) async throws -> CancelOutcome {
        try await store.cancel(id, keepJobs: .seconds(3600))
    }

    func purge(_ key: String) async throws {
        try await store.purge(makeKey(key), keepJobs: .seconds(3600))
    }

    // MARK: seeing

    func status(_ key: String) async throws -> KeyStatus {
        try #require(await store.statuses([makeKey(key)]).first)
    }

    func bytes(_ key: String) async throws -> String? {
        try await store.read(makeKey(key), held: nil).bytes
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// All events of a partition so far.
    func events(_ partition: Int = 0) async throws -> [RefreshEvent] {
        let beginning = EventID(partition: partition, epoch: 0, sequence: 0)
        return try #require(await store.events(after: beginning, limit: 10_000))
    }

    /// What happened so far, such as `queued a`.
    func story() async throws -> [String] {
        try await events().map { "\($0.kind.rawValue) \($0.key.text)" }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

/// A key a test wrote down; never malformed.
func makeKey(_ text: String) throws -> Key { try #require(Key(text)) }

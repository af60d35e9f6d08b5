package import FreshetModel
package import Redis
internal import Synchronization

/// `RefreshStore` on Redis: every transition is one script, every view one script or command.
///
/// Redis runs a script as a whole, so its order of scripts is the order of transitions. All methods
/// may be called from any task; those running on the event loop of `client` pay no thread hop.
public final class RedisRefreshStore: RefreshStore {
    /// How long calls may take until they fail.
    package struct Deadlines: Sendable {
        /// Views: a reader is waiting.
        package var read: Duration = .milliseconds(250)
        /// Transitions.
        package var write: Duration = .milliseconds(800)
        /// Bytes of a large payload, one way.
        package var bulk: Duration = .seconds(30)

        package init() {}
    }

    /// The number of partitions.
    public let partitions: Int
    let client: RedisClient
    let bulk: RedisClient
    let wakers: [RedisConnection]
    let deadlines: Deadlines
    let waitReplicas: Int
    let spaces: [KeySpace]
    let hub: FeedHub
    /// One for each partition.
    let askGroups: [AskGroup]
    /// One for each partition.
    let publishGroups: [PublishGroup]
    let knownDurability = Mutex(Durability.none)
    let knownAverages = Mutex<[Int: RunAverages]>([:])
    private let clock: (@Sendable () -> Timestamp)?

    /// A store on the server behind `client`.
    ///
    /// - Parameters:
    ///   - bulk: Carries large payloads, so that small calls do not queue behind them.
    ///   - wakers: Carry the blocking wait for work: one for all partitions, or one for each.
    ///   - waitReplicas: Replicas that must confirm a request; past a second it is `notDurable`.
    ///   - clock: Replaces Redis' clock, for tests.
    package init(
        client: RedisClient, bulk: RedisClient, wakers: [RedisConnection], namespace: String,
        partitions: Int = 1, waitReplicas: Int = 0, deadlines: Deadlines = Deadlines(),
        clock: (@Sendable () -> Timestamp)? = nil
    ) {
        self.client = client
        self.bulk = bulk
        self.wakers = wakers
        self.deadlines = deadlines
        self.partitions = partitions
        self.waitReplicas = waitReplicas
        self.clock = clock
        spaces = (0..<partitions).map { KeySpace(namespace: namespace, partition: $0) }
        hub = FeedHub(client: client, spaces: spaces)
        let sender = GroupSender(client: client, clock: clock)
        askGroups = spaces.map { sender.askGroup(in: $0, deadline: deadlines.write) }
        publishGroups = spaces.map { sender.publishGroup(in: $0, deadline: deadlines.write) }
    }

    func space(of key: Key) -> KeySpace { spaces[key.partition(of: partitions)] }

    /// The partition as jobs tell it: not at all where there is only one.
    func told(_ space: KeySpace) -> Int? { partitions > 1 ? space.partition : nil }

    /// The last argument of every script: a test's clock, or 0 for Redis' own.
    var clockArgument: RedisArgument { Self.argument(clock) }

    static func argument(_ clock: (@Sendable () -> Timestamp)?) -> RedisArgument {
        .integer(clock?().milliseconds ?? 0)
    }

    var hasTestClock: Bool { clock != nil }

    /// Runs a script in a partition and returns its array reply.
    func run(
        _ script: RedisScript, in space: KeySpace, _ arguments: [RedisArgument],
        deadline: Duration? = nil
    ) async throws(RefreshError) -> Reply {
        do {
            let value = try await client.evaluate(
                script, keys: [space.meta], arguments: arguments + [clockArgument],
                deadline: deadline ?? deadlines.write)
            return Reply(value)
        } catch {
            throw client.failure(error, script)
        }
    }

    /// Sends a plain command about `key`.
    func send(
        _ arguments: [RedisArgument], routing key: String, deadline: Duration? = nil
    ) async throws(RefreshError) -> Reply {
        do {
            return Reply(
                try await client.send(
                    arguments, routingKey: key, deadline: deadline ?? deadlines.read))
        } catch {
            throw client.failure(error)
        }
    }
}

/// An array reply of a script, read by position; what does not fit is `corrupt`.
struct Reply {
    let value: RedisValue

    init(_ value: RedisValue) { self.value = value }

    var items: [RedisValue] { value.array ?? [] }

    var count: Int { items.count }

    func integer(_ index: Int) throws(RefreshError) -> Int64 {
        guard index < count, let number = items[index].int else { throw misfit(index) }
        return number
    }

    func int(_ index: Int) throws(RefreshError) -> Int { Int(try integer(index)) }

    func text(_ index: Int) throws(RefreshError) -> String {
        guard index < count, let text = items[index].text else { throw misfit(index) }
        return text
    }

    func time(_ index: Int) throws(RefreshError) -> Timestamp {
        Timestamp(milliseconds: try integer(index))
    }

    /// A number with a fraction; `nil` below zero, which scripts use for absent.
    func average(_ index: Int) throws(RefreshError) -> Duration? {
        guard index < count else { throw misfit(index) }
        let text = items[index].text ?? items[index].int.map { String($0) } ?? ""
        guard let milliseconds = Double(text) else { throw misfit(index) }
        return milliseconds < 0 ? nil : .microseconds(Int64(milliseconds * 1000))
    }

    func sub(_ index: Int) throws(RefreshError) -> Reply {
        guard index < count, items[index].array != nil else { throw misfit(index) }
        return Reply(items[index])
    }

    /// Field and value in turn.
    var record: Record { Record(flat: items.map { $0.text ?? "" }) }

    /// The failure in {'broken', error}: a script left this key alone.
    func broken() throws(RefreshError) -> RefreshError {
        RefreshError(.corrupt, try text(1), effect: .none)
    }

    func misfit(_ index: Int) -> RefreshError {
        RefreshError(
            .corrupt, "a script's reply does not fit at position \(index)", effect: .unknown)
    }
}

extension RefreshError {
    /// Maps what the connection tells to what callers can act on.
    init(_ error: RedisError) {
        let code: Code
        switch error.code {
        case .oom, .misconf, .readonly, .noReplicas: code = .redisRefusesWrites
        case .busy: code = .redisBusy
        case .denied, .authentication: code = .redisDenied
        case .server: code = .corrupt
        default: code = .redisUnavailable
        }
        self.init(code, error.message, effect: Effect(error.effect))
    }
}

extension RefreshError.Effect {
    init(_ effect: RedisError.Effect) {
        switch effect {
        case .none: self = .none
        case .applied: self = .applied
        case .unknown: self = .unknown
        }
    }
}

internal import FreshetModel
internal import Redis
internal import Synchronization

/// The one subscription of a process: events and cancellations of every partition, fanned out.
///
/// Pub/sub may lose messages. Each partition's log counts its entries, so a message whose sequence
/// number does not follow the last one seen means that some were missed; the feeds then get
/// `suspect` before it. A (re)subscription means the same.
///
/// Events and cancellations are subscribed to apart, each with its first listener: a worker would
/// otherwise be sent, and decode, every event of the cluster to hear of its cancellations.
final class FeedHub: Sendable {
    private struct State {
        var feeds: [Int: AsyncStream<FeedItem>.Continuation] = [:]
        var cancellations: [Int: AsyncStream<String>.Continuation] = [:]
        var nextID = 0
        var seen: [Int: (epoch: Int64, sequence: Int64)] = [:]
        var hasEvents = false
        var hasCancellations = false
        var subscriber: RedisSubscriber?
    }

    private let client: RedisClient
    private let spaces: [KeySpace]
    private let state = Mutex(State())

    init(client: RedisClient, spaces: [KeySpace]) {
        self.client = client
        self.spaces = spaces
    }

    /// A feed of its own, bounded: a consumer too slow for 10,000 items gets `suspect` instead.
    func feed() -> AsyncStream<FeedItem> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: FeedItem.self, bufferingPolicy: .bufferingOldest(Limits.events))
        let id = state.withLock { state in
            state.nextID += 1
            state.feeds[state.nextID] = continuation
            return state.nextID
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.feeds.removeValue(forKey: id) }
        }
        subscribeToEvents()
        return stream
    }

    func cancellations() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Limits.events))
        let id = state.withLock { state in
            state.nextID += 1
            state.cancellations[state.nextID] = continuation
            return state.nextID
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.cancellations.removeValue(forKey: id) }
        }
        subscribeToCancellations()
        return stream
    }

    /// Ends all feeds and the subscription.
    func close() {
        let ended = state.withLock { state in
            defer { state = State() }
            return state
        }
        ended.subscriber?.close()
        for continuation in ended.feeds.values { continuation.finish() }
        for continuation in ended.cancellations.values { continuation.finish() }
    }

    private func subscribeToEvents() {
        let isFirst = state.withLock { state in
            defer { state.hasEvents = true }
            return !state.hasEvents
        }
        guard isFirst else { return }
        let subscriber = subscriber()
        for space in spaces {
            subscriber.subscribe(
                [space.events],
                onMessage: { [weak self] _, bytes in self?.receiveEvents(bytes, from: space) },
                onSubscribed: { [weak self] _ in self?.suspect(space.partition) },
                onLost: { [weak self] _ in self?.suspect(space.partition) })
        }
    }

    private func subscribeToCancellations() {
        let isFirst = state.withLock { state in
            defer { state.hasCancellations = true }
            return !state.hasCancellations
        }
        guard isFirst else { return }
        // What is missed while the subscription is lost, the heartbeats tell.
        subscriber().subscribe(
            spaces.map(\.cancellations),
            onMessage: { [weak self] _, bytes in self?.receiveCancellation(bytes) })
    }

    /// The one connection, which serves all partitions and both kinds.
    private func subscriber() -> RedisSubscriber {
        state.withLock { state in
            if let subscriber = state.subscriber { return subscriber }
            let subscriber = client.subscriber(forChannelKey: spaces[0].events)
            state.subscriber = subscriber
            return subscriber
        }
    }

    private func receiveCancellation(_ bytes: [UInt8]) {
        let nonce = String(decoding: bytes, as: UTF8.self)
        state.withLock { state in
            for continuation in state.cancellations.values { continuation.yield(nonce) }
        }
    }

    private func receiveEvents(_ bytes: [UInt8], from space: KeySpace) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let entry = EventEntry(message: text, partition: space.partition) else { return }
        state.withLock { state in
            if let seen = state.seen[space.partition],
                seen.epoch != entry.epoch || seen.sequence + 1 != entry.sequence
            {
                Self.yield(.suspect(partition: space.partition), to: &state)
            }
            state.seen[space.partition] = (entry.epoch, entry.sequence)
            Self.yield(.events(entry.events), to: &state)
        }
    }

    private func suspect(_ partition: Int) {
        state.withLock { state in
            state.seen[partition] = nil
            Self.yield(.suspect(partition: partition), to: &state)
        }
    }

    private static func yield(_ item: FeedItem, to state: inout State) {
        for continuation in state.feeds.values {
            if case .dropped = continuation.yield(item) {
                // The consumer is far behind: what it has not read yet tells it that it missed some.
                continuation.yield(item)
            }
        }
    }
}

internal import FreshetModel
internal import Redis
internal import Synchronization

/// The one subscription of a process: events and cancellations of every partition, fanned out.
///
/// Pub/sub may lose messages. Each partition's log counts its entries, so a message whose sequence
/// number does not follow the last one seen means that some were missed; the feeds then get
/// `suspect` before it. A (re)subscription means the same.
final class FeedHub: Sendable {
    private struct State {
        var feeds: [Int: AsyncStream<FeedItem>.Continuation] = [:]
        var cancellations: [Int: AsyncStream<String>.Continuation] = [:]
        var nextID = 0
        var seen: [Int: (epoch: Int64, sequence: Int64)] = [:]
        var isSubscribed = false
        var subscribers: [RedisSubscriber] = []
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
        subscribeOnce()
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
        subscribeOnce()
        return stream
    }

    /// Ends all feeds and the subscription.
    func close() {
        let ended = state.withLock { state in
            defer { state = State() }
            return state
        }
        for subscriber in ended.subscribers { subscriber.close() }
        for continuation in ended.feeds.values { continuation.finish() }
        for continuation in ended.cancellations.values { continuation.finish() }
    }

    private func subscribeOnce() {
        let isFirst = state.withLock { state in
            defer { state.isSubscribed = true }
            return !state.isSubscribed
        }
        guard isFirst else { return }
        // One connection serves all partitions.
        let subscriber = client.subscriber(forChannelKey: spaces[0].events)
        state.withLock { $0.subscribers.append(subscriber) }
        for space in spaces {
            subscriber.subscribe(
                [space.events, space.cancellations],
                onMessage: { [weak self] channel, bytes in
                    self?.receive(channel: channel, bytes: bytes, from: space)
                },
                onSubscribed: { [weak self] _ in self?.suspect(space.partition) },
                onLost: { [weak self] _ in self?.suspect(space.partition) })
        }
    }

    private func receive(channel: String, bytes: [UInt8], from space: KeySpace) {
        let text = String(decoding: bytes, as: UTF8.self)
        if channel == space.cancellations {
            state.withLock { state in
                for continuation in state.cancellations.values { continuation.yield(text) }
            }
            return
        }
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

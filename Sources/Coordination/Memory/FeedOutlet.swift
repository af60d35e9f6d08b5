internal import FreshetModel

/// One consumer's end of the event feed: a bounded buffer that never loses silently.
///
/// The last slots of the buffer are kept for `suspect`. A consumer that falls so far behind finds it
/// after what it has not read yet, looks at the state, and is served events again.
struct FeedOutlet: Sendable {
    private let continuation: AsyncStream<FeedItem>.Continuation
    private let partitions: Int
    private var isBehind = false

    init(_ continuation: AsyncStream<FeedItem>.Continuation, partitions: Int) {
        self.continuation = continuation
        self.partitions = partitions
    }

    /// The stream and its end; the stream begins with `suspect` for each partition.
    static func make(
        partitions: Int, capacity: Int = Limits.events
    ) -> (AsyncStream<FeedItem>, FeedOutlet) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: FeedItem.self, bufferingPolicy: .bufferingOldest(capacity + 2 * partitions))
        for partition in 0..<partitions { continuation.yield(.suspect(partition: partition)) }
        return (stream, FeedOutlet(continuation, partitions: partitions))
    }

    /// Delivers one entry of `partition`'s log, or `suspect` in its place.
    mutating func deliver(_ events: [RefreshEvent], of partition: Int) {
        let item = isBehind ? .suspect(partition: partition) : FeedItem.events(events)
        guard case .enqueued(let remaining) = continuation.yield(item) else { return }
        if remaining > partitions {
            isBehind = false
        } else if !isBehind {
            isBehind = true
            for partition in 0..<partitions { continuation.yield(.suspect(partition: partition)) }
        }
    }

    func onTermination(_ body: @escaping @Sendable () -> Void) {
        continuation.onTermination = { _ in body() }
    }
}

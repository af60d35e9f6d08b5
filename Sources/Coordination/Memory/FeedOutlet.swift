internal import FreshetModel

/// One consumer's end of the event feed: a bounded buffer that never loses silently.
///
/// The last slots of the buffer are kept for `suspect`. A consumer that falls so far behind finds
/// it after what it has not read yet, looks at the state, and is served events again.
struct FeedOutlet: Sendable {
    private let continuation: AsyncStream<FeedItem>.Continuation
    private let partitions: Int
    private var isBehind = false

    /// A stream and its end.
    ///
    /// - Parameters:
    ///   - partitions: How many logs feed it.
    ///   - suspect: Partitions whose subscription stands already: the stream begins with `suspect`
    ///     for each, since nothing that happened before it is told.
    ///   - capacity: Items a slow consumer may leave unread.
    static func make(
        partitions: Int, suspect: some Sequence<Int>, capacity: Int = Limits.events
    ) -> (stream: AsyncStream<FeedItem>, outlet: FeedOutlet) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: FeedItem.self, bufferingPolicy: .bufferingOldest(capacity + 2 * partitions))
        for partition in suspect { continuation.yield(.suspect(partition: partition)) }
        return (stream, FeedOutlet(continuation: continuation, partitions: partitions))
    }

    private init(continuation: AsyncStream<FeedItem>.Continuation, partitions: Int) {
        self.continuation = continuation
        self.partitions = partitions
    }

    /// Delivers one entry of `partition`'s log, or `suspect` in its place.
    mutating func deliver(_ events: [RefreshEvent], of partition: Int) {
        yield(isBehind ? .suspect(partition: partition) : .events(events))
    }

    /// Tells that events of `partition` may have been missed.
    mutating func suspect(_ partition: Int) { yield(.suspect(partition: partition)) }

    /// What the buffer refuses needs no other word: the unread `suspect` in it came before.
    private mutating func yield(_ item: FeedItem) {
        guard case .enqueued(let remaining) = continuation.yield(item) else { return }
        if remaining > partitions {
            isBehind = false
        } else if !isBehind {
            isBehind = true
            for partition in 0..<partitions { continuation.yield(.suspect(partition: partition)) }
        }
    }

    /// Ends the stream.
    func finish() { continuation.finish() }

    /// Calls `body` when the consumer is gone or the stream is finished.
    func onTermination(_ body: @escaping @Sendable () -> Void) {
        continuation.onTermination = { _ in body() }
    }
}

package import Runtime

/// Sends chunks to thousands of streams without holding up the loop: a turn sends for about 2 ms,
/// the next turn goes on. Each stream gets all chunks in order.
package final class EventFanOut {
    package var count: Int { 0 }

    package init(loop: EventLoop) {}

    /// Adds a stream; it gets what is broadcast from now on, and leaves when it closes.
    package func add(_ stream: EventStream) {}

    /// Takes a stream out; what it did not get yet, it does not get.
    package func remove(_ stream: EventStream) {}

    /// Sends `chunk` to all streams that are in now.
    package func broadcast(_ chunk: EventChunk) {}

    /// Ends all streams after what was broadcast.
    package func finish() {}
}

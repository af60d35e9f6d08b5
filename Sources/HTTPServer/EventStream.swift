/// A response of server-sent events to one client.
///
/// On the loop's thread only. What is sent before the server has opened it waits.
package final class EventStream {
    /// Called once, when the client has gone, was dropped as too slow, or `finish` is through.
    package var onClose: (() -> Void)?
    /// Whether sending still makes sense.
    package private(set) var isOpen = true

    /// - Parameters:
    ///   - headers: More than `Content-Type`, `Cache-Control: no-store`, `X-Accel-Buffering: no`.
    ///   - retry: How long a client waits before it comes back.
    package init(headers: [(String, String)] = [], retry: Duration = .seconds(3)) {}

    /// Queues an event. False when the stream is closed, or is closed by this as too slow.
    @discardableResult
    package func send(event: String? = nil, id: String? = nil, data: String) -> Bool {
        send(EventChunk(event: event, id: id, data: data))
    }

    /// Queues an event encoded before.
    @discardableResult
    package func send(_ chunk: EventChunk) -> Bool { false }

    /// Queues a comment line.
    @discardableResult
    package func comment(_ text: String = "") -> Bool { send(EventChunk(comment: text)) }

    /// Ends the stream after what is queued.
    package func finish() {}
}

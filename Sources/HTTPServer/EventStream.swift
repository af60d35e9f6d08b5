internal import Runtime

/// A response of server-sent events to one client.
///
/// On the loop's thread only. What is sent before the server has opened it waits. Once open it writes
/// to its socket itself: libmicrohttpd would take a resume, two runs and a copy for each event.
@safe
package final class EventStream {
    /// Called once, when the client has gone, was dropped as too slow, or `finish` is through.
    package var onClose: (() -> Void)?
    /// Whether sending still makes sense.
    package var isOpen: Bool { state != .closed && !isFinishing }

    private enum State {
        case waiting, open, closed
    }

    private struct Pending {
        let bytes: SharedBytes
        var offset: Int
        let end: Int
    }

    let headers: [(String, String)]
    private let retry: Duration
    /// Tells those who send to it that it is closed.
    private var closeHooks: [() -> Void] = []
    private var state = State.waiting
    private var transport: Transport?
    private var isChunked = true
    private var isFinishing = false
    /// Sent before the stream was opened.
    private var early: [EventChunk] = []
    private var earlyBytes = 0
    private static let earlyBytesMax = 4 * 1024 * 1024
    private var pending: [Pending] = []
    private var pendingBytes = 0
    private var queueBytesMax = Int.max
    private var table: StreamTable?
    /// Ends what carries the stream.
    private var release: (() -> Void)?
    /// Where it stands in the table of streams, and in its slice of heartbeats.
    var index = 0

    /// - Parameters:
    ///   - headers: More than `Content-Type`, `Cache-Control: no-store`, `X-Accel-Buffering: no`.
    ///   - retry: How long a client waits before it comes back.
    package init(headers: [(String, String)] = [], retry: Duration = .seconds(3)) {
        self.headers = headers
        self.retry = retry
    }

    /// Queues an event. False when the stream is closed, or is closed by this as too slow.
    @discardableResult
    package func send(event: String? = nil, id: String? = nil, data: String) -> Bool {
        guard isOpen else { return false }
        return send(EventChunk(event: event, id: id, data: data))
    }

    /// Queues an event encoded before.
    @discardableResult
    package func send(_ chunk: EventChunk) -> Bool {
        guard isOpen else { return false }
        guard state == .open else { return keep(chunk) }
        return write(item(chunk))
    }

    /// As for the queue: the first may have any size.
    private func keep(_ chunk: EventChunk) -> Bool {
        if !early.isEmpty { earlyBytes += chunk.count }
        guard earlyBytes <= Self.earlyBytesMax else {
            close()
            return false
        }
        early.append(chunk)
        return true
    }

    /// Queues a comment line.
    @discardableResult
    package func comment(_ text: String = "") -> Bool { send(EventChunk(comment: text)) }

    /// Ends the stream after what is queued.
    package func finish() {
        guard isOpen else { return }
        isFinishing = true
        guard state == .open else { return }
        sendEnd()
    }

    // MARK: for the server

    /// Begins to write. `head` is the header of the response.
    func open(
        _ transport: Transport, head: [UInt8], isChunked: Bool, queueBytesMax: Int,
        table: StreamTable, release: @escaping () -> Void
    ) {
        precondition(state == .waiting, "an event stream answers one request")
        self.transport = transport
        self.isChunked = isChunked
        self.queueBytesMax = queueBytesMax
        self.table = table
        self.release = release
        state = .open
        var first = head
        let retryChunk = EventChunk(retry: retry)
        let range = isChunked ? 0..<retryChunk.count : retryChunk.start..<retryChunk.end
        first.append(contentsOf: retryChunk.bytes.bytes[range])
        table.add(self, transport.descriptor)
        let chunks = early
        early = []
        guard state == .open, write(Pending(bytes: SharedBytes(first), offset: 0, end: first.count))
        else { return }
        for chunk in chunks {
            if !write(item(chunk)) { return }
        }
        if isFinishing { sendEnd() }
    }

    /// The socket can be written to again, or has ended.
    func socketReady(_ ready: EventLoop.Readiness) {
        guard state == .open else { return }
        if ready.contains(.hangUp) || ready.contains(.closed) { return close() }
        if ready.contains(.write) { flush() }
    }

    /// Calls `hook` when it closes, before `onClose`.
    package func addCloseHook(_ hook: @escaping () -> Void) { closeHooks.append(hook) }

    /// The server ends, or has no room for it.
    package func close() {
        guard state != .closed else { return }
        let wasOpen = state == .open
        state = .closed
        pending = []
        pendingBytes = 0
        early = []
        if wasOpen {
            table?.remove(self, transport?.descriptor ?? -1)
            release?()
        }
        release = nil
        transport = nil
        table = nil
        for hook in closeHooks { hook() }
        closeHooks = []
        let tell = onClose
        onClose = nil
        tell?()
    }

    var hasPending: Bool { !pending.isEmpty }

    // MARK: writing

    private func item(_ chunk: EventChunk) -> Pending {
        isChunked
            ? Pending(bytes: chunk.bytes, offset: 0, end: chunk.bytes.count)
            : Pending(bytes: chunk.bytes, offset: chunk.start, end: chunk.end)
    }

    /// Bytes queued behind the chunk being sent: that one may have any size.
    private var behindFirst: Int {
        guard let first = pending.first else { return 0 }
        return pendingBytes - (first.end - first.offset)
    }

    private func write(_ item: Pending) -> Bool {
        var item = item
        if pending.isEmpty {
            guard let isThrough = push(&item) else { return false }
            if isThrough { return true }
        } else if behindFirst + item.end - item.offset > queueBytesMax {
            // A reader this slow holds memory for as long as it likes.
            table?.metrics?.droppedStreams.increment()
            close()
            return false
        }
        pending.append(item)
        pendingBytes += item.end - item.offset
        return true
    }

    /// Writes what the socket takes. Whether that is all of it; `nil` when the stream was closed.
    private func push(_ item: inout Pending) -> Bool? {
        guard let transport else { return nil }
        let bytes = item.bytes.bytes
        while item.offset < item.end {
            switch transport.send(bytes.span.extracting(item.offset..<item.end)) {
            case .sent(let count): item.offset += count
            case .full: return false
            case .failed:
                close()
                return nil
            }
        }
        return true
    }

    private func flush() {
        var done = 0
        while done < pending.count {
            let before = pending[done].offset
            guard let isThrough = push(&pending[done]) else { return }
            pendingBytes -= pending[done].offset - before
            if !isThrough { break }
            done += 1
        }
        pending.removeFirst(done)
        if pending.isEmpty && isFinishing { close() }
    }

    private func sendEnd() {
        let last = isChunked ? SharedBytes(Array("0\r\n\r\n".utf8)) : SharedBytes([])
        guard write(Pending(bytes: last, offset: 0, end: last.count)) else { return }
        if pending.isEmpty { close() }
    }
}

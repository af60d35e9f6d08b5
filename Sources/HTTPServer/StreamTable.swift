internal import Runtime

/// All open event streams: their sockets, their heartbeats, their end.
@safe
final class StreamTable {
    /// Each stream gets a sign of life once in a round, a slice of them at a time.
    private static let slices = 48

    private let loop: EventLoop
    private let heartbeatRound: Duration
    private(set) var all: [EventStream] = []
    var metrics: ServerMetrics?
    private var heartbeat: EventLoop.Timer?
    private var slice = 0
    private let comment = EventChunk(comment: "")

    init(loop: EventLoop, heartbeat: Duration) {
        self.loop = loop
        heartbeatRound = heartbeat
    }

    var count: Int { all.count }

    func add(_ stream: EventStream, _ descriptor: Int32) {
        stream.index = all.count
        all.append(stream)
        metrics?.streams.set(all.count)
        // Edge-triggered and for all it may ever be ready for: no change of the set per event.
        let isWatched = loop.add(descriptor, [.write, .hangUp], edgeTriggered: true) {
            ready in stream.socketReady(ready)
        }
        if !isWatched { return stream.close() }
        if heartbeat == nil { beatLater() }
    }

    func remove(_ stream: EventStream, _ descriptor: Int32) {
        loop.remove(descriptor)
        let last = all.removeLast()
        if last !== stream {
            all[stream.index] = last
            last.index = stream.index
        }
        metrics?.streams.set(all.count)
    }

    func finishAll() {
        for stream in all { stream.finish() }
    }

    func closeAll() {
        for stream in all { stream.close() }
    }

    private func beatLater() {
        heartbeat = loop.schedule(after: heartbeatRound / Self.slices) {
            self.beat()
        }
    }

    private func beat() {
        heartbeat = nil
        guard !all.isEmpty else { return }
        slice = (slice + 1) % Self.slices
        // From the end: a stream that closes is replaced by the last one, which has had its turn.
        var index = slice + (all.count - 1 - slice) / Self.slices * Self.slices
        while index >= 0 && slice < all.count {
            if index < all.count && !all[index].hasPending { all[index].send(comment) }
            index -= Self.slices
        }
        beatLater()
    }
}

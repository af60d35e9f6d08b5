internal import HTTPServer
internal import Runtime

/// Streams that are sent the same events from now on.
final class StreamGroup {
    private let fanOut: EventFanOut

    init(loop: EventLoop) { fanOut = EventFanOut(loop: loop) }

    var isEmpty: Bool { fanOut.count == 0 }

    func add(_ stream: EventStream) { fanOut.add(stream) }

    func send(_ chunk: EventChunk) { fanOut.broadcast(chunk) }

    func finish() { fanOut.finish() }
}

/// The end of a stream: `done` with the id of what came last.
enum StreamEnd {
    static func chunk(id: String?) -> EventChunk {
        EventChunk(event: "done", id: id, data: "{\"type\":\"done\"}")
    }
}

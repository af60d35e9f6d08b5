import TestSupport

/// An event as a client of a stream gets it.
struct WireEvent: Sendable {
    var type = ""
    var id = ""
    var data = ""

    var json: JSONValue { JSONValue(Array(data.utf8)) }
}

/// A client of an event stream. It reads on a thread of its own.
final class EventClient: Sendable {
    private let stream: AsyncThrowingStream<WireEvent, any Error>
    let response: WireResponse

    /// Opens `target` and reads its events.
    static func open(
        port: Int, _ target: String, _ fields: [String: String] = [:]
    ) async throws -> EventClient {
        let (stream, events) = AsyncThrowingStream.makeStream(of: WireEvent.self)
        let response = try await withCheckedThrowingContinuation { continuation in
            BackgroundThread.start {
                do {
                    let connection = try WireConnection(port: port)
                    try connection.send("GET", target, fields, [])
                    let head = try connection.head()
                    continuation.resume(returning: head)
                    if head.status == 200 { try read(connection, "\(target) \(fields)", events) }
                    events.finish()
                } catch {
                    events.finish(throwing: error)
                }
            }
        }
        return EventClient(stream, response)
    }

    private init(_ stream: AsyncThrowingStream<WireEvent, any Error>, _ response: WireResponse) {
        self.stream = stream
        self.response = response
    }

    private static func read(
        _ connection: WireConnection, _ target: String,
        _ events: AsyncThrowingStream<WireEvent, any Error>.Continuation
    ) throws {
        var text = ""
        var types: [String] = []
        let end = ContinuousClock.now + .seconds(20)
        while let chunk = try connection.chunk() {
            // Heartbeats keep a stream alive on which nothing happens any more.
            guard ContinuousClock.now < end else {
                throw WireError(description: "no end of \(target) in 20 s, but \(types)")
            }
            text += chunk
            while let end = text.firstRange(of: "\n\n") {
                let block = text[..<end.lowerBound]
                text = String(text[end.upperBound...])
                var event = WireEvent()
                for line in block.split(separator: "\n") {
                    let sides = line.split(separator: ":", maxSplits: 1)
                    let value = sides.count > 1 ? String(sides[1].drop { $0 == " " }) : ""
                    switch sides.first ?? "" {
                    case "event": event.type = value
                    case "id": event.id = value
                    case "data": event.data += value
                    default: break
                    }
                }
                if event.type.isEmpty { continue }
                types.append("\(event.type) \(event.id)")
                events.yield(event)
            }
        }
    }

    /// The events until one of `type`, itself included; to the end of the stream without one.
    func events(until type: String? = nil) async throws -> [WireEvent] {
        var events: [WireEvent] = []
        for try await event in stream {
            events.append(event)
            if event.type == type { break }
        }
        return events
    }
}

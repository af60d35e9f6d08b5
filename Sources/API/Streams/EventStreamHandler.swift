internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Opens the streams of `GET /v1/events`.
final class EventStreamHandler {
    private let store: any RefreshStore
    private let hub: EventHub
    private let writer: KeyStreamWriter
    private let follower: FeedFollower

    init(
        store: any RefreshStore, hub: EventHub, writer: KeyStreamWriter,
        follower: FeedFollower
    ) {
        self.store = store
        self.hub = hub
        self.writer = writer
        self.follower = follower
    }

    /// - Throws: 400 for a `Last-Event-ID` that is none of ours.
    func handle(_ filter: EventFilter, _ request: HTTPRequest) throws(Problem) -> HTTPReply {
        var resumed: StreamPosition?
        if let text = request.header("Last-Event-ID") {
            guard let position = StreamPosition(text) else {
                throw .badRequest(
                    "invalid_last_event_id", "`Last-Event-ID` is no id of this API.")
            }
            resumed = position
        }
        let stream = EventStream()
        if case .job = filter.subject {
        } else if resumed == nil, follower.isReady {
            hub.add(stream, filter)
            return .stream(stream)
        }
        let requestID = request.requestID
        return .task { [resumed] _ in
            do throws(Problem) {
                try await self.open(stream, filter, resumed)
            } catch {
                return .response(error.response(requestID: requestID))
            }
            return .stream(stream)
        }
    }

    private func open(
        _ stream: EventStream, _ filter: EventFilter, _ resumed: StreamPosition?
    ) async throws(Problem) {
        await follower.ready(atMost: FeedFollower.patience)
        let opening = hub.beginOpening(filter)
        defer { hub.endOpening(opening) }
        var ended: Job?
        do {
            if case .job(let id) = filter.subject {
                guard let job = try await store.job(id) else {
                    throw Problem.notFound("unknown_job", "No job `\(id.text.shortened)` is known.")
                }
                if job.state.isEnded { ended = job }
            }
            var position = resumed ?? StreamPosition()
            if let resumed {
                for event in try await missed(resumed, filter) ?? gone(stream) {
                    position.advance(to: event.id)
                    send(event, position, filter, stream)
                }
            }
            for event in opening.kept where !position.covers(event.id) {
                position.advance(to: event.id)
                send(event, position, filter, stream)
                if event.kind.endsJob, case .job(let id) = filter.subject, event.jobID == id {
                    ended = ended ?? Job(id: id, state: .succeeded)
                }
            }
            finishOpening(stream, filter, position, ended, wasTold: !position.latest.isEmpty)
        } catch let problem as Problem {
            throw problem
        } catch let error as RefreshError {
            throw Problem(error)
        } catch {
            throw Problem(500, "internal", "The stream could not be opened.")
        }
    }

    private func finishOpening(
        _ stream: EventStream, _ filter: EventFilter, _ position: StreamPosition, _ ended: Job?,
        wasTold: Bool
    ) {
        guard let ended else { return hub.add(stream, filter) }
        let event = writer.end(of: ended.id, as: ended)
        if !wasTold { send(event, StreamPosition([event.id]), filter, stream) }
        stream.send(StreamEnd.chunk(id: (position.latest.values.max() ?? event.id).description))
        stream.finish()
    }

    private func gone(_ stream: EventStream) -> [RefreshEvent] {
        stream.comment("some events are gone; these are from now on")
        return []
    }

    /// Events after `position` in all partitions of `filter`; `nil` when some are gone.
    private func missed(
        _ position: StreamPosition, _ filter: EventFilter
    ) async throws(RefreshError) -> [RefreshEvent]? {
        var missed: [RefreshEvent] = []
        let only = filter.partition(of: store.partitions)
        for (partition, id) in position.latest where only == nil || only == partition {
            guard
                let events = try await EventLog(store: store).events(
                    after: id, where: filter.accepts)
            else { return nil }
            missed += events
        }
        return missed.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    private func send(
        _ event: RefreshEvent, _ position: StreamPosition, _ filter: EventFilter,
        _ stream: EventStream
    ) {
        let id =
            filter.partition(of: store.partitions) == nil
            ? position.text(partitions: store.partitions) : event.id.description
        stream.send(EventHub.chunk(event, id: id))
    }
}

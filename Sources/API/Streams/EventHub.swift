internal import Codecs
internal import FreshetModel
internal import HTTPServer
internal import Representation
internal import Runtime

/// Sends every event to the streams of `GET /v1/events` that want it: encoded once, sent to many.
final class EventHub {
    /// A stream that is being opened: what comes meanwhile is kept for it.
    final class Opening {
        let filter: EventFilter
        private(set) var kept: [RefreshEvent] = []

        fileprivate init(_ filter: EventFilter) { self.filter = filter }

        fileprivate func keep(_ event: RefreshEvent) { kept.append(event) }
    }

    private let loop: EventLoop
    private let partitions: Int
    private var remaining = RemainingTime()
    private var sweepAbove = 64
    private var all: StreamGroup
    private var byKey: [Key: StreamGroup] = [:]
    private var byJob: [JobID: StreamGroup] = [:]
    private var restricted: [ObjectIdentifier: (stream: EventStream, access: ResourceAccess)] = [:]
    private var openings: [ObjectIdentifier: Opening] = [:]
    /// Called when a version of a key was told to clients.
    var onTold: (Key, Int64) -> Void = { _, _ in }

    init(loop: EventLoop, partitions: Int) {
        self.loop = loop
        self.partitions = partitions
        all = StreamGroup(loop: loop)
    }

    /// Begins to keep events for a stream that is being opened.
    func beginOpening(_ filter: EventFilter) -> Opening {
        let opening = Opening(filter)
        openings[ObjectIdentifier(opening)] = opening
        return opening
    }

    /// Ends the keeping.
    func endOpening(_ opening: Opening) {
        openings.removeValue(forKey: ObjectIdentifier(opening))
    }

    /// Sends events from now on to `stream`.
    func add(_ stream: EventStream, _ filter: EventFilter) {
        switch filter.subject {
        case .key(let key): group(&byKey, key).add(stream)
        case .job(let job): group(&byJob, job).add(stream)
        case .all:
            guard filter.access.isRestricted else { return all.add(stream) }
            let identifier = ObjectIdentifier(stream)
            restricted[identifier] = (stream, filter.access)
        }
    }

    private func group<Subject>(
        _ groups: inout [Subject: StreamGroup], _ subject: Subject
    ) -> StreamGroup {
        if let group = groups[subject] { return group }
        if groups.count >= sweepAbove {
            groups = groups.filter { !$0.value.isEmpty }
            sweepAbove = max(64, groups.count * 2)
        }
        let group = StreamGroup(loop: loop)
        groups[subject] = group
        return group
    }

    /// Sends `event`; `position` is what streams over several partitions show as its id.
    func publish(_ event: RefreshEvent, position: @autoclosure () -> StreamPosition) {
        let left = remaining.take(event)
        for opening in openings.values where opening.filter.accepts(event) { opening.keep(event) }
        var isTold = false
        var single: EventChunk?
        func chunk() -> EventChunk {
            if let single { return single }
            let made = Self.chunk(event, id: event.id.description, remaining: left)
            single = made
            return made
        }
        if let group = live(&byKey, event.key) {
            group.send(chunk())
            isTold = true
        }
        if let job = event.jobID, let group = live(&byJob, job) {
            group.send(chunk())
            isTold = true
            if event.kind.endsJob {
                group.send(StreamEnd.chunk(id: event.id.description))
                group.finish()
                byJob.removeValue(forKey: job)
            }
        }
        if !all.isEmpty || !restricted.isEmpty {
            let shared =
                partitions == 1
                ? chunk()
                : Self.chunk(event, id: position().text(partitions: partitions), remaining: left)
            all.send(shared)
            sendRestricted(event, shared)
            isTold = true
        }
        if isTold, event.kind == .updated { onTold(event.key, event.version) }
    }

    private func live<Subject>(
        _ groups: inout [Subject: StreamGroup], _ subject: Subject
    ) -> StreamGroup? {
        guard let group = groups[subject] else { return nil }
        guard group.isEmpty else { return group }
        groups.removeValue(forKey: subject)
        return nil
    }

    private func sendRestricted(_ event: RefreshEvent, _ chunk: EventChunk) {
        for (identifier, entry) in restricted {
            guard entry.stream.isOpen else {
                restricted.removeValue(forKey: identifier)
                continue
            }
            if entry.access.allows(event.key.resource) { entry.stream.send(chunk) }
        }
    }

    /// An event as a stream of `GET /v1/events` sends it.
    static func chunk(_ event: RefreshEvent, id: String, remaining: Duration? = nil) -> EventChunk {
        let data = JSONText.object {
            $0.members(of: event, EventEstimates(remaining: remaining))
        }
        return EventChunk(event: event.kind.rawValue, id: id, data: data)
    }

    /// Ends all streams, for a shutdown.
    func finish() {
        all.finish()
        for group in byKey.values { group.finish() }
        for group in byJob.values { group.finish() }
        for entry in restricted.values { entry.stream.finish() }
        byKey.removeAll()
        byJob.removeAll()
        restricted.removeAll()
    }
}

/// Which events a stream is about.
struct EventFilter {
    enum Subject: Equatable {
        case key(Key)
        case job(JobID)
        case all
    }

    var subject: Subject
    var access: ResourceAccess

    func accepts(_ event: RefreshEvent) -> Bool {
        switch subject {
        case .key(let key): event.key == key
        case .job(let job): event.jobID == job
        case .all: access.allows(event.key.resource)
        }
    }

    /// The partition whose events it is about; `nil`: all.
    func partition(of count: Int) -> Int? {
        switch subject {
        case .key(let key): key.partition(of: count)
        case .job(let job): job.key.partition(of: count)
        case .all: count == 1 ? 0 : nil
        }
    }
}

extension RefreshEvent.Kind {
    /// Whether the job of such an event is over.
    var endsJob: Bool {
        switch self {
        case .updated, .failed, .cancelled: true
        case .queued, .running, .progress, .retrying, .expired, .purged: false
        }
    }
}

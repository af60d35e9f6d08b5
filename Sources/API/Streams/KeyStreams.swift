internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// The streams of `GET …?stream=true`: each follows one job to its end.
///
/// All streams of a job get the same chunks, `updated` with the payload among them, encoded once.
final class KeyStreams {
    private struct Followed {
        let key: Key
        let group: StreamGroup
        let began: Timestamp
        /// The clients were told last that it waits, and until when.
        var toldQueued: Timestamp??
        var isSettling = false
    }

    /// A stream that is being opened: what comes meanwhile is kept for it.
    final class Opening {
        let key: Key
        fileprivate(set) var kept: [RefreshEvent] = []

        fileprivate init(_ key: Key) { self.key = key }
    }

    private let loop: EventLoop
    private let table: KeyTable
    private let time: StoreTime
    private let errands: Errands<APICore>
    private let writer: KeyStreamWriter
    private var followed: [JobID: Followed] = [:]
    /// `updated` events whose payload is still on its way.
    private var updates: [Key: RefreshEvent] = [:]
    private var openings: [ObjectIdentifier: Opening] = [:]
    private var remaining = RemainingTime()

    init(
        loop: EventLoop, table: KeyTable, time: StoreTime, errands: Errands<APICore>,
        writer: KeyStreamWriter
    ) {
        self.loop = loop
        self.table = table
        self.time = time
        self.errands = errands
        self.writer = writer
    }

    func beginOpening(_ key: Key) -> Opening {
        let opening = Opening(key)
        openings[ObjectIdentifier(opening)] = opening
        return opening
    }

    func endOpening(_ opening: Opening) {
        openings.removeValue(forKey: ObjectIdentifier(opening))
    }

    /// Lets `stream`, which was told the state of `job`, follow it from now on.
    func follow(_ job: Job, _ stream: EventStream) {
        if let known = followed[job.id] { return known.group.add(stream) }
        let group = StreamGroup(loop: loop)
        group.add(stream)
        var following = Followed(key: job.id.key, group: group, began: time.now())
        if job.state == .queued { following.toldQueued = .some(job.runAt) }
        followed[job.id] = following
    }

    /// Tells an event that needs no payload.
    func tell(_ event: RefreshEvent, _ entry: KeyEntry) {
        let left = remaining.take(event)
        keep(event)
        guard let job = event.jobID, let group = live(job) else { return }
        // The event of an asking may come after its answer, from which the clients know already.
        let isQueued = event.kind == .queued
        if isQueued, followed[job]?.toldQueued == .some(event.runAt) { return }
        followed[job]?.toldQueued = isQueued ? .some(event.runAt) : nil
        group.send(writer.chunk(event, remaining: isQueued ? entry.estimate(of: job) : left))
        if event.kind.endsJob { finish(job, id: event.id) }
    }

    /// Notes an `updated` event: it is told when its payload is here.
    func willUpdate(_ event: RefreshEvent, _ entry: KeyEntry) {
        _ = remaining.take(event)
        keep(event)
        guard let job = event.jobID, live(job) != nil else { return }
        updates[entry.key] = event
    }

    /// Tells the update whose payload is here now.
    func updated(_ entry: KeyEntry) {
        guard let event = updates.removeValue(forKey: entry.key), let job = event.jobID,
            live(job) != nil
        else { return }
        if let payload = writer.quickPayload(entry) {
            finishUpdate(event, job, payload)
        } else {
            let key = entry.key
            errands.start { core in await core.streams.finishUpdateLater(event, job, key) }
        }
    }

    private func finishUpdateLater(_ event: RefreshEvent, _ job: JobID, _ key: Key) async {
        var payload: [UInt8]?
        if let entry = table.find(key) { payload = await writer.payload(entry) }
        finishUpdate(event, job, payload)
    }

    private func finishUpdate(_ event: RefreshEvent, _ job: JobID, _ payload: [UInt8]?) {
        guard let group = live(job) else { return }
        group.send(writer.updated(event, payload: payload))
        finish(job, id: event.id)
    }

    private func keep(_ event: RefreshEvent) {
        for opening in openings.values where opening.key == event.key {
            opening.kept.append(event)
        }
    }

    private func live(_ job: JobID) -> StreamGroup? {
        guard let known = followed[job] else { return nil }
        guard known.group.isEmpty else { return known.group }
        followed.removeValue(forKey: job)
        return nil
    }

    private func finish(_ job: JobID, id: EventID) {
        guard let known = followed.removeValue(forKey: job) else { return }
        known.group.send(StreamEnd.chunk(id: id.description))
        known.group.finish()
    }

    // MARK: lost events

    /// Ends the streams of jobs that are over without their events having come.
    func resync(_ entry: KeyEntry, _ status: KeyStatus) {
        for (job, known) in followed where known.key == entry.key && !known.isSettling {
            let isCurrent = status.state.isUnderWay && status.job?.id == job
            guard !isCurrent, status.now >= known.began, updates[entry.key] == nil else {
                continue
            }
            followed[job]?.isSettling = true
            errands.start { core in await core.streams.settle(job) }
        }
    }

    private func settle(_ id: JobID) async {
        let job = await writer.job(id)
        followed[id]?.isSettling = false
        guard live(id) != nil, job.map(\.state.isEnded) ?? true else { return }
        let event = writer.end(of: id, as: job)
        if event.kind == .updated {
            // The payload may be as far behind as the events.
            await writer.catchUp(id.key)
            await finishUpdateLater(event, id, id.key)
        } else {
            live(id)?.send(writer.chunk(event, remaining: nil))
            finish(id, id: event.id)
        }
    }

    /// Ends all streams, for a shutdown; clients come back to another process.
    func finish() {
        for known in followed.values { known.group.finish() }
        followed.removeAll()
    }
}

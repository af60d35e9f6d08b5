internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Opens the streams of `GET …?stream=true`.
///
/// Order matters: from the first line on, events of the key reach the entry or the opening; then the
/// state is read; then the stream is sent what is known and joins those that follow the job. A
/// refresh that ended before is seen from the state.
final class KeyStreamHandler {
    private let store: any RefreshStore
    private let table: KeyTable
    private let loader: PayloadLoader
    private let reads: ReadHandler
    private let streams: KeyStreams
    private let writer: KeyStreamWriter
    private let follower: FeedFollower

    init(
        store: any RefreshStore, table: KeyTable, reads: ReadHandler, streams: KeyStreams,
        writer: KeyStreamWriter, follower: FeedFollower
    ) {
        self.store = store
        self.table = table
        self.reads = reads
        self.streams = streams
        self.writer = writer
        self.follower = follower
        loader = reads.loader
    }

    func handle(_ plan: ReadPlan, _ request: HTTPRequest) -> HTTPReply {
        let asked = Asked(request)
        return .task { _ in
            let entry = self.reads.entry(plan)
            entry.streamCount += 1
            let stream = EventStream()
            // Before it joins a group, which adds its own to it.
            stream.onClose = { self.closed(entry) }
            do throws(Problem) {
                try await self.open(stream, plan, asked, entry)
            } catch {
                self.closed(entry)
                return .response(
                    error.response(
                        requestID: asked.requestID,
                        maximumAttempts: plan.resource.retry.maximumAttempts))
            }
            return .stream(stream)
        }
    }

    /// What the request says beside its key.
    private struct Asked {
        let lastEventID: String?
        let trace: String?
        let requestID: String

        init(_ request: HTTPRequest) {
            lastEventID = request.header("Last-Event-ID")
            trace = TraceParent.valid(request.header("traceparent"))
            requestID = request.requestID
        }
    }

    private func closed(_ entry: KeyEntry) {
        entry.streamCount -= 1
        table.release(entry)
    }

    private func open(
        _ stream: EventStream, _ plan: ReadPlan, _ asked: Asked, _ entry: KeyEntry
    ) async throws(Problem) {
        table.touch(entry, at: EventLoop.monotonicNanoseconds())
        await follower.ready(atMost: FeedFollower.patience)
        if let text = asked.lastEventID {
            guard let position = StreamPosition(text) else {
                throw .badRequest(
                    "invalid_last_event_id", "`Last-Event-ID` is no id of this API.")
            }
            let partition = entry.key.partition(of: store.partitions)
            if let id = position.latest[partition],
                try await resume(stream, entry, after: id)
            {
                return
            }
        }
        try await begin(stream, plan, asked, entry)
    }

    private func begin(
        _ stream: EventStream, _ plan: ReadPlan, _ asked: Asked, _ entry: KeyEntry
    ) async throws(Problem) {
        let loaded = await loader.load(entry)
        if case .failure(let error) = loaded, entry.servable(reads.time.now()) == nil {
            throw Problem(error)
        }
        let kept = entry.servable(reads.time.now())
        if let kept {
            entry.counters.countHit(isFresh: kept.metadata.isFresh(at: reads.time.now()))
        } else {
            entry.counters.countMiss()
        }
        var error: String?
        if needsRefresh(plan, entry, kept) {
            error = try await ask(plan, asked, entry, isCold: kept == nil)
        }
        // An update whose payload is on its way is a moment off.
        while entry.awaitsUpdate, entry.isLoading {
            let ticket = entry.loads.register()
            guard await ticket.value(atMost: .seconds(5)) != nil else { break }
        }
        if let payload = await writer.payload(entry, isFromCache: true) {
            stream.send(writer.cached(entry.key, payload: payload))
        }
        if entry.refresh.state.isUnderWay, let job = entry.refresh.job {
            for chunk in writer.state(entry) { stream.send(chunk) }
            streams.follow(job, stream)
            return
        }
        if entry.servable(reads.time.now()) == nil, let error {
            sendFailure(stream, entry, error)
        }
        stream.send(StreamEnd.chunk(id: writer.currentID(entry.key).description))
        stream.finish()
    }

    private func needsRefresh(_ plan: ReadPlan, _ entry: KeyEntry, _ kept: PayloadCopy?) -> Bool {
        if plan.wantsRefresh { return true }
        guard let kept else { return true }
        return reads.wantsRefresh(plan.resource, kept.metadata, reads.time.now())
            && !entry.refresh.state.isUnderWay
    }

    /// Asks for the refresh that is to be followed.
    /// - Returns: Why there will be none: the error of the last job, while it cools down.
    private func ask(
        _ plan: ReadPlan, _ asked: Asked, _ entry: KeyEntry, isCold: Bool
    ) async throws(Problem) -> String? {
        let seen = entry.copy?.metadata.version ?? 0
        let outcome =
            plan.wantsRefresh
            ? await reads.askOnBehalf(plan, entry, asked.trace)
            : await reads.asker.ask(entry, seen: seen, trace: asked.trace, isExact: true)
        switch outcome {
        case .success(.accepted): return nil
        case .success(.notNeeded):
            _ = await loader.load(entry)
            return nil
        case .success(.coolingDown(_, let error)): return error
        case .success(.queueFull(let waiting)):
            if isCold { throw .queueFull(waiting: waiting) }
            return nil
        case .failure(let error):
            if isCold { throw Problem(error) }
            return nil
        }
    }

    private func sendFailure(_ stream: EventStream, _ entry: KeyEntry, _ error: String) {
        var event = RefreshEvent(
            id: writer.currentID(entry.key), kind: .failed, key: entry.key,
            jobID: entry.refresh.job?.id, version: 0, at: reads.time.now())
        event.error = error
        stream.send(writer.chunk(event, remaining: nil))
    }

    // MARK: resuming

    /// Sends what came after `id` and goes on from there.
    /// - Returns: `false` when some of it is gone: the stream begins anew.
    private func resume(
        _ stream: EventStream, _ entry: KeyEntry, after id: EventID
    ) async throws(Problem) -> Bool {
        let opening = streams.beginOpening(entry.key)
        defer { streams.endOpening(opening) }
        guard case .success = await loader.load(entry) else { return false }
        guard var missed = try await missedEvents(of: entry.key, after: id) else { return false }
        let last = missed.last?.id ?? id
        missed += opening.kept.filter { $0.id > last }
        let payload = await writer.payload(entry)
        // Only the last payload is there to be sent.
        let lastUpdate = missed.last { $0.kind == .updated }?.id
        for event in missed {
            switch event.kind {
            case .updated where event.id == lastUpdate:
                stream.send(writer.updated(event, payload: payload))
            case .updated, .expired, .purged: break
            case .queued, .running, .progress, .retrying, .failed, .cancelled:
                stream.send(writer.chunk(event, remaining: nil))
            }
        }
        if entry.refresh.state.isUnderWay, let job = entry.refresh.job {
            streams.follow(job, stream)
        } else {
            let end = missed.last?.id ?? id
            stream.send(StreamEnd.chunk(id: end.description))
            stream.finish()
        }
        return true
    }

    private func missedEvents(
        of key: Key, after id: EventID
    ) async throws(Problem) -> [RefreshEvent]? {
        do {
            return try await EventLog(store: store).events(after: id) { $0.key == key }
        } catch {
            throw Problem(error)
        }
    }
}

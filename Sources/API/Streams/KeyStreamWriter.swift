internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation
internal import Runtime

/// Encodes what the streams of a key send.
final class KeyStreamWriter {
    private let store: any RefreshStore
    private let table: KeyTable
    private let loader: PayloadLoader
    private let time: StoreTime
    /// The latest event delivered of a key's partition.
    var position: (Key) -> EventID? = { _ in nil }

    init(
        store: any RefreshStore, table: KeyTable, loader: PayloadLoader, time: StoreTime
    ) {
        self.store = store
        self.table = table
        self.loader = loader
        self.time = time
    }

    /// The id of what is told from state, not from an event.
    func currentID(_ key: Key) -> EventID {
        position(key)
            ?? EventID(partition: key.partition(of: store.partitions), epoch: 0, sequence: 0)
    }

    /// An event without payload.
    func chunk(_ event: RefreshEvent, remaining: Duration?, position: Int? = nil) -> EventChunk {
        let data = JSONText.object {
            $0.members(of: event, EventEstimates(position: position, remaining: remaining))
        }
        return EventChunk(event: event.kind.rawValue, id: event.id.description, data: data)
    }

    /// `cached`, with the envelope of what is held.
    func cached(_ key: Key, payload: [UInt8]) -> EventChunk {
        var data = Array("{\"type\":\"cached\",\"payload\":".utf8)
        data += payload
        data.append(UInt8(ascii: "}"))
        return EventChunk(event: "cached", id: currentID(key).description, data: data)
    }

    /// `updated`, with the envelope; without one when the payload is gone already.
    func updated(_ event: RefreshEvent, payload: [UInt8]?) -> EventChunk {
        var data = JSONText.object { $0.members(of: event) }
        data.removeLast()
        data += Array(",\"payload\":".utf8)
        data += payload ?? Array("null".utf8)
        data.append(UInt8(ascii: "}"))
        return EventChunk(event: "updated", id: event.id.description, data: data)
    }

    /// The envelope around what `entry` holds, when that takes no long coding.
    func quickPayload(_ entry: KeyEntry, isFromCache: Bool = false) -> [UInt8]? {
        guard let copy = entry.servable(time.now()),
            case .identity(let bytes)? = loader.quickVariant(.identity, of: copy, in: entry)
        else { return nil }
        return envelope(entry, copy, bytes, isFromCache)
    }

    /// The envelope around what `entry` holds.
    func payload(_ entry: KeyEntry, isFromCache: Bool = false) async -> [UInt8]? {
        guard let copy = entry.servable(time.now()),
            case .identity(let bytes)? = await loader.variant(
                .identity, of: copy, in: entry, atMost: .seconds(10))
        else { return nil }
        return envelope(entry, copy, bytes, isFromCache)
    }

    private func envelope(
        _ entry: KeyEntry, _ copy: PayloadCopy, _ bytes: SharedBytes, _ isFromCache: Bool
    ) -> [UInt8] {
        let fields = PayloadFields(metadata: copy.metadata, now: time.now())
        let isRefreshing = entry.isRefreshing
        let envelope = Envelope(
            Envelope.Facts(
                metadata: copy.metadata, isFromCache: isFromCache, isFresh: fields.isFresh,
                age: fields.age, isRefreshing: isRefreshing,
                job: isRefreshing ? entry.refresh.job : nil,
                maximumAttempts: entry.resource.retry.maximumAttempts))
        guard !MediaType.isJSON(copy.metadata.contentType) else {
            return envelope.head + bytes.bytes + envelope.tail
        }
        // What is not JSON travels as a string where it is text; else the client reads it raw.
        var items: [UInt8] = []
        let raw = bytes.bytes
        if !JSONText.append(checking: raw.span, to: &items) { items = Array("null".utf8) }
        return envelope.head + items + envelope.tail
    }

    /// What is known of the refresh under way, as events: its state and, when running, its progress.
    func state(_ entry: KeyEntry) -> [EventChunk] {
        guard entry.refresh.state.isUnderWay, let job = entry.refresh.job else { return [] }
        let id = currentID(entry.key)
        var event = RefreshEvent(
            id: id, kind: .queued, key: entry.key, jobID: job.id,
            version: entry.copy?.metadata.version ?? 0, at: time.now())
        event.attempt = job.attempt
        event.runAt = job.runAt
        event.error = job.error
        event.progress = job.progress
        let left = job.estimatedRemaining
        switch entry.refresh.state {
        case .queued:
            return [chunk(event, remaining: left, position: job.position)]
        case .running:
            event.kind = .running
            let running = chunk(event, remaining: left)
            guard let progress = job.progress else { return [running] }
            event.kind = .progress
            let estimate = job.startedAt.flatMap {
                RemainingTime.estimate(progress, elapsed: time.now() - $0)
            }
            return [running, chunk(event, remaining: left ?? estimate)]
        case .retrying:
            event.kind = .retrying
            return [chunk(event, remaining: left)]
        case .idle, .failed: return []
        }
    }

    /// Reads what is held of `key` again.
    func catchUp(_ key: Key) async {
        if let entry = table.find(key) { _ = await loader.load(entry) }
    }

    /// The job as the store knows it; `nil` also when the store does not answer.
    func job(_ id: JobID) async -> Job? {
        do {
            return try await store.job(id)
        } catch {
            return Job(id: id, state: .queued)
        }
    }

    /// The event that ended a job, made from its state.
    func end(of id: JobID, as job: Job?) -> RefreshEvent {
        let kind: RefreshEvent.Kind =
            switch job?.state {
            case .succeeded: .updated
            case .dead: .failed
            default: .cancelled
            }
        var event = RefreshEvent(
            id: currentID(id.key), kind: kind, key: id.key, jobID: id,
            version: job?.version ?? 0, at: job?.finishedAt ?? time.now())
        event.error = job?.error
        return event
    }
}

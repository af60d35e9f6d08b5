internal import FreshetModel
internal import Runtime

/// What an event or a status means for a key this process holds or waits for.
final class KeyUpdates {
    private let table: KeyTable
    private let loader: PayloadLoader
    private let streams: KeyStreams

    init(table: KeyTable, loader: PayloadLoader, streams: KeyStreams) {
        self.table = table
        self.loader = loader
        self.streams = streams
        loader.onUpdated = { [streams] entry in streams.updated(entry) }
    }

    func apply(_ event: RefreshEvent) {
        guard let entry = table.find(event.key) else { return }
        if entry.refresh.apply(event) { entry.copy?.forgetAnswers() }
        switch event.kind {
        case .queued, .running, .progress:
            streams.tell(event, entry)
        case .retrying:
            streams.tell(event, entry)
            entry.end(.failed(event.jobID, error: event.error ?? ""))
        case .updated:
            ended(event, entry)
            streams.willUpdate(event, entry)
            if holds(event, entry) {
                streams.updated(entry)
                entry.end(.updated)
            } else {
                expectUpdate(entry)
            }
        case .failed:
            ended(event, entry)
            streams.tell(event, entry)
            entry.end(.failed(event.jobID, error: event.error ?? ""))
        case .cancelled:
            ended(event, entry)
            streams.tell(event, entry)
            entry.end(.cancelled(event.jobID))
        case .expired:
            entry.copy?.expire(at: event.at)
        case .purged:
            entry.askEnded()
            table.install(nil, in: entry)
            entry.end(.cancelled(nil))
        }
        table.release(entry)
    }

    /// Whether what an `updated` event tells was read from the store already.
    private func holds(_ event: RefreshEvent, _ entry: KeyEntry) -> Bool {
        guard let metadata = entry.copy?.metadata else { return false }
        return metadata.version == event.version
            && (!event.isRenewal || metadata.refreshedAt >= event.at)
    }

    private func ended(_ event: RefreshEvent, _ entry: KeyEntry) {
        if let run = event.jobID?.run { entry.lastEndedRun = max(entry.lastEndedRun, run) }
        entry.askEnded()
    }

    /// Takes a status that was read because events may have been missed, or because a client asked.
    func apply(_ status: KeyStatus) {
        guard let entry = table.find(status.key) else { return }
        if entry.refresh.apply(status) { entry.copy?.forgetAnswers() }
        compare(status, entry)
        if !status.state.isUnderWay { entry.askEnded() }
        tellWaiters(status, entry)
        table.release(entry)
    }

    private func compare(_ status: KeyStatus, _ entry: KeyEntry) {
        let kept = status.payload.flatMap { $0.isKept(at: status.now) ? $0 : nil }
        guard let copy = entry.copy else {
            if kept != nil, !entry.ends.isEmpty || entry.streamCount > 0 { expectUpdate(entry) }
            return
        }
        if let kept {
            if kept.version != copy.metadata.version {
                expectUpdate(entry)
            } else if kept != copy.metadata {
                copy.renew(kept)
                entry.end(.updated)
            }
        } else if status.version < copy.metadata.version {
            copy.expire(at: status.now)
        } else {
            table.install(nil, in: entry)
        }
    }

    private func expectUpdate(_ entry: KeyEntry) {
        entry.awaitsUpdate = true
        loader.catchUp(entry)
    }

    private func tellWaiters(_ status: KeyStatus, _ entry: KeyEntry) {
        streams.resync(entry, status)
        // Who waits is answered when the payload is here.
        guard !entry.awaitsUpdate else { return }
        switch status.state {
        case .retrying, .failed:
            entry.end(.failed(status.job?.id, error: status.error ?? status.job?.error ?? ""))
        case .idle: entry.end(.cancelled(nil))
        case .queued, .running: break
        }
    }
}

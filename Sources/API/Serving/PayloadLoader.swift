internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Reads payloads from the store into this process: at most one call per key at a time, whoever
/// wants it.
final class PayloadLoader {
    /// Copies read again at once after events; cold reads do not wait for a place.
    private static let catchingUpAtMost = 16

    private let store: any RefreshStore
    private let table: KeyTable
    private let time: StoreTime
    private let errands: Errands<APICore>
    private let metrics: APIMetrics
    private let health: StoreHealth
    private var lastLoad: UInt64 = 0
    private var catchingUp = 0
    private var waitingToCatchUp: [KeyEntry] = []
    /// Called when a load that began after an `updated` event has brought it in.
    var onUpdated: (KeyEntry) -> Void = { _ in }

    init(
        store: any RefreshStore, table: KeyTable, time: StoreTime, errands: Errands<APICore>,
        metrics: APIMetrics, health: StoreHealth
    ) {
        self.store = store
        self.table = table
        self.time = time
        self.errands = errands
        self.metrics = metrics
        self.health = health
    }

    /// Notes that a client was told of `version` of a key.
    func told(_ version: Int64, of entry: KeyEntry) { entry.told(version, lastLoad: lastLoad) }

    /// Reads `entry` from the store, or joins the call under way.
    func load(_ entry: KeyEntry) async -> Result<KeyStatus, RefreshError> {
        await entry.loads.outcome(health) { begin(entry) }
            ?? .failure(RefreshError(.redisUnavailable, "no answer in time", effect: .none))
    }

    /// Reads `entry` again because the store has something newer: one more call follows one that is
    /// under way already.
    func catchUp(_ entry: KeyEntry) {
        if entry.isLoading {
            entry.mustLoadAgain = true
        } else if catchingUp < Self.catchingUpAtMost {
            catchingUp += 1
            start(entry, isCatchingUp: true)
        } else if !entry.waitsToCatchUp {
            entry.waitsToCatchUp = true
            waitingToCatchUp.append(entry)
        }
    }

    private func begin(_ entry: KeyEntry) {
        if !entry.isLoading { start(entry, isCatchingUp: false) }
    }

    private func start(_ entry: KeyEntry, isCatchingUp: Bool) {
        entry.isLoading = true
        let key = entry.key
        errands.start { core in
            await core.loader.perform(key)
            if isCatchingUp { core.loader.caughtUp() }
        }
    }

    private func caughtUp() {
        catchingUp -= 1
        while catchingUp < Self.catchingUpAtMost, let next = waitingToCatchUp.popLast() {
            next.waitsToCatchUp = false
            guard !next.isLoading, table.find(next.key) === next else { continue }
            catchingUp += 1
            start(next, isCatchingUp: true)
        }
    }

    private func perform(_ key: Key) async {
        guard let entry = table.find(key) else { return }
        var outcome: Result<KeyStatus, RefreshError>
        repeat {
            entry.mustLoadAgain = false
            outcome = await loadOnce(entry)
            // A client was told of more than is held. A connection that was cut just now is made
            // again meanwhile; when the store is gone for longer, what is held is served all the
            // same, as if nobody had been told.
            if hidesCopy(entry, outcome) { outcome = await loadOnce(entry) }
            if hidesCopy(entry, outcome), let copy = entry.copy {
                entry.forgetTold(copy.metadata.version)
            }
            if entry.mustLoadAgain, entry.servable(time.now()) == nil { continue }
            entry.isBehind = false
            if case .failure = outcome { entry.isBehind = entry.copy != nil || entry.awaitsUpdate }
            if !entry.mustLoadAgain { finishUpdate(entry, outcome) }
            entry.loads.resumeAll(returning: outcome)
        } while entry.mustLoadAgain
        entry.isLoading = false
        table.release(entry)
    }

    /// Whether only a version that cannot be had keeps a copy from being served.
    private func hidesCopy(
        _ entry: KeyEntry, _ outcome: Result<KeyStatus, RefreshError>
    ) -> Bool {
        guard case .failure(let error) = outcome, error.code == .redisUnavailable,
            let copy = entry.copy
        else { return false }
        return copy.metadata.isKept(at: time.now()) && copy.metadata.version < entry.toldVersion
    }

    private func finishUpdate(_ entry: KeyEntry, _ outcome: Result<KeyStatus, RefreshError>) {
        guard entry.awaitsUpdate, case .success = outcome else { return }
        entry.awaitsUpdate = false
        onUpdated(entry)
        entry.end(.updated)
    }

    private func loadOnce(_ entry: KeyEntry) async -> Result<KeyStatus, RefreshError> {
        lastLoad += 1
        let number = lastLoad
        let sent = EventLoop.monotonicNanoseconds()
        do {
            let read = try await store.read(entry.key, held: entry.copy?.metadata.version)
            time.observe(read.status.now, sent: sent)
            metrics.loads.increment()
            health.succeeded()
            if read.status.version < entry.toldVersion {
                // A read sent before a client was told may be behind. One sent after tells that the
                // store lost its data, and then what was told counts no more.
                if number <= entry.toldBefore {
                    entry.mustLoadAgain = true
                    return .success(read.status)
                }
                entry.forgetTold(read.status.version)
            }
            await adopt(read, entry)
            return .success(read.status)
        } catch {
            metrics.storeFailures.increment()
            health.failed(error, during: "read")
            return .failure(error)
        }
    }

    private func adopt(_ read: KeyRead, _ entry: KeyEntry) async {
        let status = read.status
        if let metadata = status.payload, metadata.isKept(at: status.now) {
            if let bytes = read.bytes {
                let copy = PayloadCopy(metadata, stored: bytes)
                await prepare(copy, like: entry.copy)
                table.install(copy, in: entry)
            } else if let copy = entry.copy, copy.metadata.version == metadata.version {
                copy.renew(metadata)
            } else {
                // It was evicted while the store was asked about it.
                entry.mustLoadAgain = true
            }
        } else if let copy = entry.copy {
            if status.version < copy.metadata.version {
                // Not purged but lost: what is held is all there is, until a refresh brings more.
                copy.expire(at: status.now)
            } else {
                table.install(nil, in: entry)
            }
        }
        if entry.refresh.apply(status) { entry.copy?.forgetAnswers() }
        if !status.state.isUnderWay { entry.askEnded() }
    }

    /// Makes the variants that the version before was asked for, so that nobody waits for them.
    private func prepare(_ copy: PayloadCopy, like previous: PayloadCopy?) async {
        for encoding in previous?.codings ?? [] where copy.variant(encoding) == nil {
            let recipe = copy.recipe(encoding)
            copy.add(copy.isQuick ? recipe() : await Errands<APICore>.elsewhere(recipe))
        }
    }

    // MARK: variants

    /// The variant of `entry`'s copy in `encoding`, made when there is none yet.
    ///
    /// - Parameter limit: How long to wait for one that takes long to make.
    /// - Returns: `nil` when the time passed, the copy was replaced, or its bytes are corrupt.
    func variant(
        _ encoding: PayloadEncoding, of copy: PayloadCopy, in entry: KeyEntry,
        atMost limit: Duration
    ) async -> PayloadVariant? {
        if let variant = quickVariant(encoding, of: copy, in: entry) { return variant }
        if copy.isQuick { return nil }
        let waiters = entry.coding[encoding] ?? startCoding(encoding, copy, entry)
        let ticket = waiters.register()
        _ = await ticket.value(atMost: limit)
        return copy.variant(encoding)
    }

    /// The variant when it is there or made within about a millisecond.
    func quickVariant(
        _ encoding: PayloadEncoding, of copy: PayloadCopy, in entry: KeyEntry
    ) -> PayloadVariant? {
        if let variant = copy.variant(encoding) { return variant }
        guard copy.isQuick else { return nil }
        table.add(copy.recipe(encoding)(), to: copy, of: entry)
        return copy.variant(encoding)
    }

    private func startCoding(
        _ encoding: PayloadEncoding, _ copy: PayloadCopy, _ entry: KeyEntry
    ) -> Waiters<Bool> {
        let waiters = Waiters<Bool>(loop: time.loop)
        entry.coding[encoding] = waiters
        let key = entry.key
        let version = copy.metadata.version
        errands.startElsewhere(copy.recipe(encoding)) { core, variants in
            core.loader.coded(key, encoding, version, variants)
        }
        return waiters
    }

    private func coded(
        _ key: Key, _ encoding: PayloadEncoding, _ version: Int64, _ variants: [PayloadVariant]
    ) {
        guard let entry = table.find(key) else { return }
        if let copy = entry.copy, copy.metadata.version == version {
            table.add(variants, to: copy, of: entry)
        }
        entry.coding.removeValue(forKey: encoding)?.resumeAll(returning: !variants.isEmpty)
        table.release(entry)
    }
}

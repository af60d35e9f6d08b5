internal import Coordination
internal import FreshetModel
internal import Runtime

/// Keeps copies and streams in step with the store: events as they come, gaps filled from the log,
/// and states read where events are lost.
final class FeedFollower {
    /// How long a stream waits to be opened where the store does not answer.
    static let patience = Duration.seconds(1)

    private let store: any RefreshStore
    private let time: StoreTime
    private let errands: Errands<APICore>
    private let checks: StatusChecks
    private let updates: KeyUpdates
    private let hub: EventHub
    private let health: StoreHealth
    private var logs: [PartitionLog]
    private var aheadAt: [EventID?]
    private var unready: Set<Int>
    private let readiness: Waiters<Bool>

    init(
        store: any RefreshStore, time: StoreTime, errands: Errands<APICore>,
        checks: StatusChecks, updates: KeyUpdates, hub: EventHub, health: StoreHealth
    ) {
        self.store = store
        self.time = time
        self.errands = errands
        self.checks = checks
        self.updates = updates
        self.hub = hub
        self.health = health
        logs = Array(repeating: PartitionLog(), count: store.partitions)
        aheadAt = Array(repeating: nil, count: store.partitions)
        unready = Set(0..<store.partitions)
        readiness = Waiters(loop: time.loop)
    }

    /// Follows the feed until it ends or the task is cancelled.
    func run() async {
        for await item in store.feed() {
            switch item {
            case .events(let events): receive(events)
            case .suspect(let partition): suspect(partition)
            }
        }
    }

    /// Whether the feed of every partition was heard and its place in the log is known: from then on
    /// no event is missed.
    var isReady: Bool { unready.isEmpty }

    /// Waits until `isReady`, which takes a store that answers.
    func ready(atMost limit: Duration) async {
        guard !isReady else { return }
        let ticket = readiness.register()
        _ = await ticket.value(atMost: limit)
    }

    /// The position of the events that were delivered.
    var position: StreamPosition { StreamPosition(logs.compactMap(\.position)) }

    /// The latest event delivered of `key`'s partition.
    func position(of key: Key) -> EventID? { logs[key.partition(of: store.partitions)].position }

    private func receive(_ events: [RefreshEvent]) {
        guard let partition = events.first?.id.partition, logs.indices.contains(partition) else {
            return
        }
        for event in logs[partition].receive(events) { deliver(event) }
    }

    private func deliver(_ event: RefreshEvent) {
        updates.apply(event)
        hub.publish(event, position: position)
    }

    private func suspect(_ partition: Int) {
        guard logs.indices.contains(partition), logs[partition].beginFilling() else { return }
        errands.start { core in await core.follower.fill(partition) }
    }

    /// Fills the gap of `partition`, trying until the store answers.
    private func fill(_ partition: Int) async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                let missed = try await missedEvents(partition)
                var latest: EventID?
                if missed == nil {
                    latest = try await store.latestEvents().first { $0.partition == partition }
                }
                let result = logs[partition].fill(missed: missed, position: latest)
                for event in result.events { deliver(event) }
                unready.remove(partition)
                if isReady { readiness.resumeAll(returning: true) }
                if result.isLossy { await checks.checkAll(of: partition) }
                return
            } catch {
                await time.loop.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(800))
            }
        }
        _ = logs[partition].fill(missed: nil, position: nil)
    }

    /// What the log has after what was delivered; `nil` when some of it is lost.
    private func missedEvents(_ partition: Int) async throws(RefreshError) -> [RefreshEvent]? {
        guard let position = logs[partition].position else { return nil }
        return try await EventLog(store: store).events(after: position)
    }

    /// Compares with the store's log, because a lost last message shows in no gap.
    ///
    /// A log that is ahead in two calls, with the time between them, is not just a message on its
    /// way.
    func compare() async {
        let latest: [EventID]
        do {
            latest = try await store.latestEvents()
            health.succeeded()
        } catch {
            health.failed(error, during: "latestEvents")
            return
        }
        for id in latest where logs.indices.contains(id.partition) {
            let partition = id.partition
            guard logs[partition].isBehind(id) else {
                aheadAt[partition] = nil
                continue
            }
            if let before = aheadAt[partition], logs[partition].isBehind(before) {
                aheadAt[partition] = nil
                suspect(partition)
            } else {
                aheadAt[partition] = id
            }
        }
    }
}

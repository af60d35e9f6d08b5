public import FreshetModel

extension MemoryRefreshStore {
    /// See `RefreshStore.lastFired`.
    public func lastFired(_ resource: ResourceName) async throws(RefreshError) -> Timestamp? {
        snapshot().states[0].fired[resource]
    }

    /// See `RefreshStore.now`.
    public func now() async throws(RefreshError) -> Timestamp { snapshot().now }

    /// See `RefreshStore.read`.
    public func read(_ key: Key, held: Int64?) async throws(RefreshError) -> KeyRead {
        let (states, now) = snapshot()
        return states[key.partition(of: partitions)].read(key, held: held, at: now)
    }

    /// See `RefreshStore.statuses`.
    public func statuses(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus] {
        let (states, now) = snapshot()
        return keys.map { states[$0.partition(of: partitions)].status(of: $0, at: now) }
    }

    /// See `RefreshStore.keys`.
    public func keys(cursor: String?, limit: Int) async throws(RefreshError) -> Page<Key> {
        let (states, now) = snapshot()
        return MemoryListing(states: states, now: now).keys(cursor: cursor, limit: limit)
    }

    /// See `RefreshStore.job`.
    public func job(_ id: JobID) async throws(RefreshError) -> Job? {
        let (states, now) = snapshot()
        return states[id.key.partition(of: partitions)].job(id, at: now)
    }

    /// See `RefreshStore.jobs`.
    public func jobs(
        states wanted: Set<JobState>, cursor: String?, limit: Int
    ) async throws(RefreshError) -> Page<Job> {
        let (states, now) = snapshot()
        return MemoryListing(states: states, now: now)
            .jobs(states: wanted, cursor: cursor, limit: limit)
    }

    /// See `RefreshStore.queue`.
    public func queue() async throws(RefreshError) -> QueueStatus {
        let (states, now) = snapshot()
        var status = QueueStatus()
        for state in states { state.add(to: &status, at: now) }
        status.workers = states[0].workers.values.filter { $0.until >= now }
            .map(\.presence).sorted { $0.id < $1.id }
        return status
    }

    /// See `RefreshStore.statistics`.
    public func statistics() async throws(RefreshError) -> [ResourceName: RefreshStatistics] {
        var all: [ResourceName: RefreshStatistics] = [:]
        for state in snapshot().states { state.add(to: &all) }
        return all
    }

    /// See `RefreshStore.events`.
    public func events(
        after id: EventID, limit: Int
    ) async throws(RefreshError) -> [RefreshEvent]? {
        guard (0..<partitions).contains(id.partition) else { return nil }
        return snapshot().states[id.partition].log.events(after: id, limit: limit)
    }

    /// See `RefreshStore.latestEvents`.
    public func latestEvents() async throws(RefreshError) -> [EventID] {
        snapshot().states.map(\.log.latest)
    }
}

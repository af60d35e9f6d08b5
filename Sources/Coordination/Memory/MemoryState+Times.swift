public import FreshetModel

extension MemoryState {
    /// See `RefreshStore.recordTimes`.
    mutating func record(_ told: [ResourceName: [StageTimes.Stage: StageTimes]]) {
        for (resource, stages) in told {
            for (stage, more) in stages {
                var sum = times[resource]?[stage] ?? StageTimes()
                for index in sum.counts.indices { sum.counts[index] += more.counts[index] }
                sum.sum += more.sum
                times[resource, default: [:]][stage] = sum
            }
        }
    }

    /// See `RefreshStore.observe`.
    func stale(activeWindow: Duration, at now: Timestamp) -> [ResourceName: Duration] {
        var stale: [ResourceName: Duration] = [:]
        for key in due.members(upTo: now, limit: 200) {
            guard let since = records[key]?.metadata?.freshUntil, since < now else { continue }
            let read = reads[key.resource]?.score(of: key) ?? Timestamp(milliseconds: 0)
            if activeWindow > .zero, now - read > activeWindow { continue }
            stale[key.resource] = max(stale[key.resource] ?? .zero, now - since)
        }
        return stale
    }
}

extension MemoryRefreshStore {
    /// See `RefreshStore.recordTimes`.
    public func recordTimes(
        _ times: [ResourceName: [StageTimes.Stage: StageTimes]]
    ) async throws(RefreshError) {
        change(partition: 0) { state, _ in state.record(times) }
    }

    /// See `RefreshStore.observe`.
    public func observe(activeWindow: Duration) async throws(RefreshError) -> StoreObservation {
        var observation = StoreObservation()
        for partition in 0..<partitions {
            let (times, stale) = change(partition: partition) { state, now in
                (state.times, state.stale(activeWindow: activeWindow, at: now))
            }
            if partition == 0 { observation.times = times }
            observation.stale.merge(stale) { max($0, $1) }
        }
        return observation
    }
}

public import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// See `RefreshStore.recordTimes`. Script `record_times`; the first partition has them.
    public func recordTimes(
        _ times: [ResourceName: [StageTimes.Stage: StageTimes]]
    ) async throws(RefreshError) {
        for (resource, stages) in times {
            var pairs: [RedisArgument] = []
            for (stage, times) in stages {
                let name = "\(resource.text):\(stage.rawValue):"
                for (index, count) in times.counts.enumerated() where count > 0 {
                    pairs += [.text(name + Self.bound(index)), .integer(Int64(count))]
                }
                let microseconds = Int64(max(0, times.sum * 1000).rounded())
                pairs += [.text(name + "sum"), .integer(microseconds)]
            }
            _ = try await run(RefreshScripts.recordTimes, in: spaces[0], pairs)
        }
    }

    /// See `RefreshStore.observe`. Script `observe`, partition by partition.
    public func observe(activeWindow: Duration) async throws(RefreshError) -> StoreObservation {
        var observation = StoreObservation()
        for space in spaces {
            let reply = try await run(
                RefreshScripts.observe, in: space, [.integer(activeWindow.milliseconds)])
            let times = try reply.sub(0)
            for index in stride(from: 0, to: times.count - 1, by: 2) {
                observation.add(try times.text(index), try times.text(index + 1))
            }
            let stale = try reply.sub(1)
            for index in stride(from: 0, to: stale.count - 1, by: 2) {
                guard let name = ResourceName(try stale.text(index)) else { continue }
                let age = Duration.milliseconds(try stale.integer(index + 1))
                observation.stale[name] = max(age, observation.stale[name] ?? .zero)
            }
        }
        return observation
    }

    fileprivate static func bound(_ index: Int) -> String {
        StageTimes.bounds.indices.contains(index) ? "\(StageTimes.bounds[index])" : "inf"
    }
}

extension StoreObservation {
    /// A field of the hash; what another version wrote and we do not know is left out.
    fileprivate mutating func add(_ field: String, _ value: String) {
        let parts = field.split(separator: ":")
        guard parts.count == 3, let name = ResourceName(String(parts[0])),
            let stage = StageTimes.Stage(rawValue: String(parts[1])), let number = Int(value)
        else { return }
        var times = self.times[name]?[stage] ?? StageTimes()
        if parts[2] == "sum" {
            times.sum += Double(number) / 1000
        } else {
            for index in times.counts.indices
            where RedisRefreshStore.bound(index) == parts[2] {
                times.counts[index] += number
            }
        }
        self.times[name, default: [:]][stage] = times
    }
}

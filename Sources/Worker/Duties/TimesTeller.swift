internal import Coordination
internal import FreshetModel
internal import Runtime

/// The duty that adds what this worker measured to the times of all workers.
///
/// Jobs only count in memory; what has come since the last telling is told every few seconds, so a
/// fast source costs no call more. What a worker measured last is lost when it is killed.
final class TimesTeller {
    static let interval = Duration.seconds(5)

    private let metrics: [ResourceName: ResourceMetrics]
    private let store: any RefreshStore
    private let pace: Pace
    private let health: StoreHealth
    private var told: [ResourceName: [StageTimes.Stage: StageTimes]] = [:]

    init(
        _ resources: [ResourceName: ServedResource], store: any RefreshStore, pace: Pace,
        health: StoreHealth
    ) {
        metrics = resources.mapValues(\.metrics)
        self.store = store
        self.pace = pace
        self.health = health
    }

    /// Tells until cancelled, and then once more.
    func run() async {
        while !Task.isCancelled {
            await pace.sleep(about: Self.interval, share: 0.2)
            await tell()
        }
    }

    private func tell() async {
        let now = metrics.mapValues { metrics in
            [
                StageTimes.Stage.wait: StageTimes(metrics.queueWait),
                .source: StageTimes(metrics.source), .publish: StageTimes(metrics.publish),
            ]
        }
        var new: [ResourceName: [StageTimes.Stage: StageTimes]] = [:]
        for (name, stages) in now {
            for (stage, times) in stages {
                let more = times.since(told[name]?[stage] ?? StageTimes())
                if more.counts.contains(where: { $0 > 0 }) { new[name, default: [:]][stage] = more }
            }
        }
        guard !new.isEmpty else { return }
        do throws(RefreshError) {
            try await store.recordTimes(new)
            told = now
            health.succeeded()
        } catch {
            // Told twice would be worse than lost.
            if error.effect != .none { told = now }
            health.failed(error, during: "record times")
        }
    }
}

extension StageTimes {
    fileprivate init(_ histogram: Histogram) {
        self.init()
        let (counts, sum) = histogram.snapshot
        self.counts = counts.map { Int(clamping: $0) }
        self.sum = sum * 1000
    }

    fileprivate func since(_ before: StageTimes) -> StageTimes {
        var result = self
        for index in counts.indices { result.counts[index] -= before.counts[index] }
        result.sum -= before.sum
        return result
    }
}

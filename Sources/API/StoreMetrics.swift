internal import Coordination
internal import FreshetModel
internal import Runtime

/// What the store knows of all processes, measured where it can be asked for: workers and schedulers
/// have no port.
final class StoreMetrics {
    private let jobs: LabelledMetric<Gauge>
    private let oldest: Gauge
    private let workers: Gauge
    private let capacity: Gauge
    private let isPaused: Gauge
    private let isReachable: Gauge
    private let refreshes: LabelledMetric<Counter>
    private let activeKeys: LabelledMetric<Gauge>
    private let sourceBytes: LabelledMetric<Counter>
    private let stages: [StageTimes.Stage: LabelledMetric<Histogram>]
    private let stale: LabelledMetric<Gauge>
    private let settings: Settings

    init(_ metrics: Metrics, _ settings: Settings) {
        self.settings = settings
        let bounds = StageTimes.bounds.map { Double($0) / 1000 }
        stages = [
            .wait: metrics.histogram(
                "freshet_queue_wait_seconds", "From claimable to claimed, over all workers.",
                buckets: bounds, labels: ["resource"]),
            .source: metrics.histogram(
                "freshet_source_seconds", "Run time of sources, over all workers.",
                buckets: bounds, labels: ["resource"]),
            .publish: metrics.histogram(
                "freshet_publish_seconds", "From payload to publication, over all workers.",
                buckets: bounds, labels: ["resource"]),
        ]
        stale = metrics.gauge(
            "freshet_stale_seconds",
            "How long the stalest key that is read has been stale without a job.",
            labels: ["resource"])
        jobs = metrics.gauge(
            "freshet_queue_jobs", "Jobs over all processes, by where they are.",
            labels: ["place"])
        oldest = metrics.gauge(
            "freshet_queue_oldest_waiting_seconds", "How long the job next in line has waited."
        ).with()
        workers = metrics.gauge("freshet_workers", "Live workers.").with()
        capacity = metrics.gauge(
            "freshet_workers_capacity", "Jobs that all live workers run at once."
        ).with()
        isPaused = metrics.gauge(
            "freshet_queue_paused", "1 while nothing is claimed."
        ).with()
        isReachable = metrics.gauge(
            "freshet_store_up", "1 when the coordination store answered this scrape."
        ).with()
        refreshes = metrics.counter(
            "freshet_refreshes_total", "Ended attempts over all processes.",
            labels: ["resource", "result"])
        activeKeys = metrics.gauge(
            "freshet_keys", "Keys that have a payload.", labels: ["resource"])
        sourceBytes = metrics.counter(
            "freshet_source_bytes_total", "Unencoded bytes that sources produced.",
            labels: ["resource"])
    }

    /// Asks the store; what it does not answer stays as it was.
    func collect(_ store: any RefreshStore) async {
        do {
            show(try await store.queue())
            for (name, counters) in try await store.statistics() { show(counters, of: name) }
            show(try await store.observe(activeWindow: settings.refresh.activeWindow))
            isReachable.set(1)
        } catch {
            isReachable.set(0)
        }
    }

    private func show(_ queue: QueueStatus) {
        jobs.with("waiting").set(queue.waiting)
        jobs.with("running").set(queue.running)
        jobs.with("delayed").set(queue.delayed)
        jobs.with("dead").set(queue.dead)
        oldest.set(queue.oldestWaiting?.inSeconds ?? 0)
        workers.set(queue.workers.count)
        capacity.set(queue.workers.reduce(0) { $0 + $1.capacity })
        isPaused.set(queue.isPaused ? 1 : 0)
    }

    private func show(_ observation: StoreObservation) {
        for name in settings.resources.keys {
            stale.with(name.text).set(observation.stale[name]?.inSeconds ?? 0)
            for (stage, family) in stages {
                let times = observation.times[name]?[stage] ?? StageTimes()
                family.with(name.text).show(
                    counts: times.counts.map { UInt64(max(0, $0)) }, sum: times.sum / 1000)
            }
        }
    }

    private func show(_ counters: RefreshStatistics, of name: ResourceName) {
        raise(refreshes.with(name.text, "success"), to: counters.successfulRefreshes)
        raise(refreshes.with(name.text, "failure"), to: counters.failedRefreshes)
        raise(sourceBytes.with(name.text), to: counters.sourceBytes)
        activeKeys.with(name.text).set(counters.activeKeys)
    }

    /// The store's counters grow; when they fall, its data began anew and ours stand still meanwhile.
    private func raise(_ counter: Counter, to value: Int) {
        let known = Int(clamping: counter.value)
        if value > known { counter.increment(by: value - known) }
    }
}

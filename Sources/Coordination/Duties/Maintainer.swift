internal import FreshetModel
internal import Runtime

/// The duty that promotes due jobs, reaps lost leases and mends half-states; every worker and every
/// scheduler has one, and the store sees to it that the work is done once.
package struct Maintainer: Sendable {
    /// Time between two rounds; a job whose worker died waits this much longer than its lease.
    package static let interval = Duration.seconds(1)
    /// A round that follows another's sooner than this does nothing. Below the shortest time between
    /// two rounds of one process, so that a process alone does all of its own; and when the one
    /// whose rounds count dies, another's is at most one of its own intervals away.
    static let guardInterval = Duration.milliseconds(700)

    private let store: any RefreshStore
    private let keepJobs: Duration
    private let pace: Pace
    private let health: StoreHealth

    package init(
        store: any RefreshStore, keepJobs: Duration, pace: Pace, health: StoreHealth
    ) {
        self.store = store
        self.keepJobs = keepJobs
        self.pace = pace
        self.health = health
    }

    /// Maintains all partitions about once a second, until cancelled.
    package func run() async {
        var backoff = Backoff(base: .milliseconds(250), ceiling: Self.interval)
        while !Task.isCancelled {
            do throws(RefreshError) {
                try await maintainAll()
                backoff.reset()
                health.succeeded()
                // Not in step with the others: then one of many comes by more often than each.
                await pace.sleep(about: Self.interval)
            } catch {
                health.failed(error, during: "maintain")
                await pace.sleep(backoff.next(random: pace.random()))
            }
        }
    }

    private func maintainAll() async throws(RefreshError) {
        for partition in 0..<store.partitions {
            // What one call leaves over, because it touches a bounded number of members, the next
            // one takes; a second's worth is enough for any backlog that is not growing.
            for _ in 0..<20 where !Task.isCancelled {
                let report = try await store.maintain(
                    partition: partition, keepJobs: keepJobs, atMostEvery: Self.guardInterval)
                log(report)
                guard report.isFull else { break }
            }
        }
    }

    private func log(_ report: MaintenanceReport) {
        for job in report.reaped { Log.warning("job.stalled", ["job": job, "key": job.key]) }
        for job in report.dead {
            Log.error("job.dead", ["job": job, "key": job.key, "error": "lease lost too often"])
        }
        if report.repaired > 0 { Log.warning("store.repaired", ["count": report.repaired]) }
    }
}

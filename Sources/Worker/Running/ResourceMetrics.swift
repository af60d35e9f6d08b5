internal import Coordination
internal import FreshetModel
internal import Runtime

/// What is measured of one resource's jobs; held where they run, so that nothing is looked up.
struct ResourceMetrics: Sendable {
    let claimed: Counter
    let succeeded: Counter
    let renewed: Counter
    let failed: Counter
    let lost: Counter
    let handedBack: Counter
    let leftBehind: Counter
    /// These three are told to the store, which adds up those of all workers.
    let queueWait: Histogram
    let source: Histogram
    let publish: Histogram
    let payload: Histogram

    init(_ name: ResourceName, in metrics: Metrics = .shared) {
        let sizes = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
        func counter(_ name: String, _ help: String) -> LabelledMetric<Counter> {
            metrics.counter("freshet_jobs_\(name)_total", help, labels: ["resource"])
        }
        func histogram(
            _ name: String, _ help: String, _ buckets: [Double]
        ) -> LabelledMetric<Histogram> {
            metrics.histogram("freshet_\(name)", help, buckets: buckets, labels: ["resource"])
        }
        let label = name.text
        claimed = counter("claimed", "Jobs that this worker claimed.").with(label)
        succeeded = counter("succeeded", "Jobs that published or renewed a payload.").with(label)
        renewed = counter("renewed", "Jobs that only renewed freshness.").with(label)
        failed = counter("failed", "Attempts that failed.").with(label)
        lost = counter("lost", "Attempts whose lease was lost or that were cancelled.").with(label)
        handedBack = counter("handed_back", "Jobs given back without an attempt.").with(label)
        leftBehind = counter(
            "left_behind", "Attempts whose source did not stop when told to."
        ).with(label)
        let bounds = StageTimes.bounds.map { Double($0) / 1000 }
        queueWait = Histogram(buckets: bounds)
        source = Histogram(buckets: bounds)
        publish = Histogram(buckets: bounds)
        payload = histogram("payload_bytes", "Stored bytes of published payloads.", sizes)
            .with(label)
    }
}

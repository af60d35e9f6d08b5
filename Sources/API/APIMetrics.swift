internal import Runtime

/// What an API process measures beside its HTTP server.
struct APIMetrics {
    let reads: LabelledMetric<Counter>
    let copyBytes: Gauge
    let copies: Gauge
    let storeFailures: Counter
    let loads: Counter
    let evictions: Counter

    init(_ metrics: Metrics) {
        reads = metrics.counter(
            "freshet_reads_total", "Reads of payloads, by how they were answered.",
            labels: ["resource", "result"])
        copyBytes = metrics.gauge(
            "freshet_copies_bytes", "Memory held by payload copies."
        ).with()
        copies = metrics.gauge("freshet_copies", "Payload copies held.").with()
        storeFailures = metrics.counter(
            "freshet_store_failures_total", "Calls on the coordination store that failed."
        ).with()
        loads = metrics.counter(
            "freshet_copy_loads_total", "Payloads read from the coordination store."
        ).with()
        evictions = metrics.counter(
            "freshet_copy_evictions_total", "Payload copies dropped for room."
        ).with()
    }
}

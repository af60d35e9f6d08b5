internal import Runtime

/// What a server counts.
struct ServerMetrics {
    let requests: Counter
    let refused: LabelledMetric<Counter>
    let connections: Gauge
    let streams: Gauge
    let droppedStreams: Counter
    let duration: Histogram
    private let responses: [Counter]

    init(_ metrics: Metrics) {
        requests = metrics.counter(
            "freshet_http_requests_total", "Requests whose header was complete."
        ).with()
        refused = metrics.counter(
            "freshet_http_refused_total", "Requests the server refused itself.",
            labels: ["code"])
        connections = metrics.gauge("freshet_http_connections", "Open connections.").with()
        streams = metrics.gauge("freshet_http_streams", "Open event streams.").with()
        droppedStreams = metrics.counter(
            "freshet_http_streams_dropped_total", "Event streams closed as too slow."
        ).with()
        duration = metrics.histogram(
            "freshet_http_request_seconds",
            "From the end of a request's header to its answer, streams left out.",
            buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]
        ).with()
        let family = metrics.counter(
            "freshet_http_responses_total", "Responses by class of status.", labels: ["class"])
        responses = ["2xx", "3xx", "4xx", "5xx"].map { family.with($0) }
    }

    func count(_ status: Int) { responses[min(max(status / 100 - 2, 0), 3)].increment() }
}

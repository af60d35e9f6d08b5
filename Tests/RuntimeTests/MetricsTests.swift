import Testing

@testable import Runtime

@Suite("Metrics")
struct MetricsTests {
    @Test("the text for Prometheus")
    func text() {
        let metrics = Metrics()
        let reads = metrics.counter("reads_total", "Reads \\ of\na kind.", labels: ["kind", "key"])
        reads.with("hit", "a\"b\\c\nd").increment()
        reads.with("hit", "a\"b\\c\nd").increment(by: 2)
        reads.with("fresh", "x").increment()
        metrics.gauge("depth", "Depth.").with().set(2.5)
        let time = metrics.histogram("wait_seconds", "Waiting.", buckets: [0.1, 1], labels: ["of"])
        for value in [0.05, 0.1, 0.5, 7] { time.with("x").observe(value) }
        #expect(
            metrics.render() == """
                # HELP depth Depth.
                # TYPE depth gauge
                depth 2.5
                # HELP reads_total Reads \\\\ of\\na kind.
                # TYPE reads_total counter
                reads_total{kind="fresh",key="x"} 1
                reads_total{kind="hit",key="a\\"b\\\\c\\nd"} 3
                # HELP wait_seconds Waiting.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{of="x",le="0.1"} 2
                wait_seconds_bucket{of="x",le="1"} 3
                wait_seconds_bucket{of="x",le="+Inf"} 4
                wait_seconds_sum{of="x"} 7.65
                wait_seconds_count{of="x"} 4

                """)
    }

    @Test("the same name is the same metric, a series without labels is there from the start")
    func identity() {
        let metrics = Metrics()
        let first = metrics.counter("a_total", "A.").with()
        #expect(metrics.render().contains("a_total 0\n"))
        metrics.counter("a_total", "A.").with().increment()
        #expect(first.value == 1)
    }

    @Test("a collector runs at each rendering")
    func collectors() {
        let metrics = Metrics()
        let gauge = metrics.gauge("level", "Level.").with()
        metrics.onRender { gauge.add(1) }
        #expect(metrics.render().hasSuffix("level 1\n"))
        #expect(metrics.render().hasSuffix("level 2\n"))
    }

    @Test("numbers")
    func numbers() {
        #expect(MetricText.number(3) == "3" && MetricText.number(0.25) == "0.25")
        #expect(MetricText.number(.infinity) == "+Inf" && MetricText.number(.nan) == "NaN")
        #expect(MetricText.number(1e300).contains("e"))
    }

    @Test("counting from several threads loses nothing")
    func threads() async {
        let metrics = Metrics()
        let counter = metrics.counter("n_total", "N.").with()
        let histogram = metrics.histogram("n_seconds", "N.", buckets: [1]).with()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 80_000 && histogram.count == 80_000)
        #expect(metrics.render().contains("n_seconds_sum 40000\n"))
    }

    @Test("names against the conventions stop the process")
    func conventions() async {
        await #expect(processExitsWith: .failure) { _ = Metrics().counter("reads", "No suffix.") }
        await #expect(processExitsWith: .failure) { _ = Metrics().gauge("a_total", "A counter's.") }
        await #expect(processExitsWith: .failure) { _ = Metrics().gauge("Level", "Upper case.") }
        await #expect(processExitsWith: .failure) {
            _ = Metrics().histogram("time", "No unit.", buckets: [1])
        }
        await #expect(processExitsWith: .failure) {
            _ = Metrics().histogram("a_seconds", "Not growing.", buckets: [1, 1])
        }
        await #expect(processExitsWith: .failure) {
            let metrics = Metrics()
            _ = metrics.counter("a_total", "A.", labels: ["x"])
            _ = metrics.counter("a_total", "A.", labels: ["y"])
        }
    }
}

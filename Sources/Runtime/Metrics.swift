internal import Synchronization

/// The metrics of a process, and their text for Prometheus (exposition format 0.0.4).
///
///     let hits = Metrics.shared.counter(
///         "freshet_cache_hits_total", "Reads answered from memory.", labels: ["resource"])
///     hits.with("cinema").increment()
///
/// Asking twice for the same name gives the same metric. Names keep Prometheus' conventions or the
/// process stops: they are written by us, not by the world.
package final class Metrics: Sendable {
    package static let shared = Metrics()

    private let families = Mutex<[String: any MetricFamily]>([:])
    private let collectors = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    /// A count that only grows; its name ends in `_total`.
    package func counter(
        _ name: String, _ help: String, labels: [String] = []
    ) -> LabelledMetric<Counter> {
        MetricName.check(name, labels)
        precondition(name.hasSuffix("_total"), "a counter ends in _total: \(name)")
        return family(name, help, .counter, labels) { Counter() }
    }

    /// A value that goes up and down.
    package func gauge(
        _ name: String, _ help: String, labels: [String] = []
    ) -> LabelledMetric<Gauge> {
        MetricName.check(name, labels)
        precondition(!name.hasSuffix("_total"), "only a counter ends in _total: \(name)")
        return family(name, help, .gauge, labels) { Gauge() }
    }

    /// How often values fell below each of `buckets`, their sum and number; in base units, and its
    /// name ends in one: `_seconds`, `_bytes`.
    package func histogram(
        _ name: String, _ help: String, buckets: [Double], labels: [String] = []
    ) -> LabelledMetric<Histogram> {
        MetricName.check(name, labels)
        MetricName.checkHistogram(name, buckets, labels)
        return family(name, help, .histogram, labels) { Histogram(buckets: buckets) }
    }

    /// Runs `body` before each rendering: for gauges that are cheap to read and dear to keep.
    package func onRender(_ body: @escaping @Sendable () -> Void) {
        collectors.withLock { $0.append(body) }
    }

    /// All metrics, by name. Content type: `text/plain; version=0.0.4; charset=utf-8`.
    package func render() -> String {
        for collect in collectors.withLock({ $0 }) { collect() }
        var text = ""
        for (_, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            family.render(into: &text)
        }
        return text
    }

    private func family<Value: Metric>(
        _ name: String, _ help: String, _ kind: MetricKind, _ labels: [String],
        make: @escaping @Sendable () -> Value
    ) -> LabelledMetric<Value> {
        families.withLock { families in
            if let known = families[name] {
                guard let same = known as? LabelledMetric<Value>, same.labels == labels else {
                    preconditionFailure("metric \(name) is registered as something else")
                }
                return same
            }
            let made = LabelledMetric(name, help, kind, labels, make)
            families[name] = made
            return made
        }
    }
}

/// What the names of metrics and labels must be like.
enum MetricName {
    static func check(_ name: String, _ labels: [String]) {
        precondition(isIdentifier(name), "not a metric name: \(name)")
        let reserved = ["_count", "_sum", "_bucket"]
        precondition(
            !reserved.contains(where: name.hasSuffix), "the suffix is a histogram's: \(name)")
        for label in labels {
            precondition(
                isIdentifier(label) && !label.hasPrefix("__"), "not a label name: \(label)")
        }
        precondition(Set(labels).count == labels.count, "a label twice: \(name)")
    }

    static func checkHistogram(_ name: String, _ buckets: [Double], _ labels: [String]) {
        let units = ["_seconds", "_bytes", "_ratio", "_count_per_turn", "_items"]
        precondition(units.contains(where: name.hasSuffix), "a histogram ends in a unit: \(name)")
        precondition(!labels.contains("le"), "le is a histogram's own label: \(name)")
        precondition(
            !buckets.isEmpty && buckets.allSatisfy(\.isFinite)
                && zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 },
            "buckets must grow: \(name)")
    }

    private static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == UInt8(ascii: "_") || isLetter(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            isLetter(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    /// Lower case only: the convention, stricter than the format.
    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}

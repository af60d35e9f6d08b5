internal import Synchronization

enum MetricKind: String {
    case counter, gauge, histogram
}

/// One time series, or a histogram's several.
package protocol Metric: AnyObject, Sendable {
    /// Its samples; `labels` is `a="1",b="2"` or empty.
    func render(_ name: String, _ labels: String, into text: inout String)
}

/// A count that only grows. From any thread.
package final class Counter: Metric {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package var value: UInt64 { count.load(ordering: .relaxed) }

    package func increment(by amount: Int = 1) {
        precondition(amount >= 0, "a counter only grows")
        count.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    package func render(_ name: String, _ labels: String, into text: inout String) {
        MetricText.sample(name, labels, String(value), into: &text)
    }
}

/// A value that goes up and down. From any thread.
package final class Gauge: Metric {
    private let bits = Atomic<UInt64>(0)

    package init() {}

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    package func set(_ value: Int) { set(Double(value)) }

    package func add(_ amount: Double) { bits.addDouble(amount) }

    package func render(_ name: String, _ labels: String, into text: inout String) {
        MetricText.sample(name, labels, MetricText.number(value), into: &text)
    }
}

/// How often values fell at or below each bound, their sum and their number. From any thread.
package final class Histogram: Metric {
    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    /// Upper bounds, growing; one more for all above is implied.
    package let buckets: [Double]
    private let cells: [Cell]
    private let sum = Atomic<UInt64>(0)

    package init(buckets: [Double]) {
        self.buckets = buckets
        cells = (0...buckets.count).map { _ in Cell() }
    }

    package var count: UInt64 {
        cells.reduce(0) { $0 + $1.count.load(ordering: .relaxed) }
    }

    /// In the unit of the histogram's name; a duration is seconds.
    package func observe(_ value: Double) {
        // Few bounds, and most values fall below the first: a search by halves is no gain.
        var index = 0
        while index < buckets.count && value > buckets[index] { index += 1 }
        cells[index].count.wrappingAdd(1, ordering: .relaxed)
        sum.addDouble(value)
    }

    /// How many fell below each bound and not below the one before, and their sum.
    package var snapshot: (counts: [UInt64], sum: Double) {
        (
            cells.map { $0.count.load(ordering: .relaxed) },
            Double(bitPattern: sum.load(ordering: .relaxed))
        )
    }

    /// Shows what was counted elsewhere. A count that falls, because what was elsewhere is lost, falls
    /// here too, as that of a process that started again does.
    package func show(counts: [UInt64], sum total: Double) {
        precondition(counts.count == cells.count, "counts of other buckets")
        for (cell, count) in zip(cells, counts) { cell.count.store(count, ordering: .relaxed) }
        sum.store(total.bitPattern, ordering: .relaxed)
    }

    package func observe(nanoseconds: UInt64) { observe(Double(nanoseconds) / 1e9) }

    package func render(_ name: String, _ labels: String, into text: inout String) {
        let separator = labels.isEmpty ? "" : ","
        var below: UInt64 = 0
        for (index, cell) in cells.enumerated() {
            below += cell.count.load(ordering: .relaxed)
            let bound = index < buckets.count ? MetricText.number(buckets[index]) : "+Inf"
            MetricText.sample(
                name + "_bucket", labels + separator + "le=\"\(bound)\"", String(below),
                into: &text)
        }
        let total = Double(bitPattern: sum.load(ordering: .relaxed))
        MetricText.sample(name + "_sum", labels, MetricText.number(total), into: &text)
        MetricText.sample(name + "_count", labels, String(below), into: &text)
    }
}

/// All time series of one name.
package final class LabelledMetric<Value: Metric>: MetricFamily, Sendable {
    let name: String
    let labels: [String]
    private let help: String
    private let kind: MetricKind
    private let make: @Sendable () -> Value
    private let children = Mutex<[[String]: Value]>([:])

    init(
        _ name: String, _ help: String, _ kind: MetricKind, _ labels: [String],
        _ make: @escaping @Sendable () -> Value
    ) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.make = make
        // A series without labels is there from the start, as 0.
        if labels.isEmpty { _ = with() }
    }

    /// The series of these label values, in the order of the labels. Takes a lock: keep the result
    /// where it is used often.
    package func with(_ values: String...) -> Value {
        precondition(values.count == labels.count, "\(name) has the labels \(labels)")
        return children.withLock { children in
            if let known = children[values] { return known }
            let made = make()
            children[values] = made
            return made
        }
    }

    /// Forgets a series: what it measured is gone for good.
    package func remove(_ values: String...) {
        children.withLock { _ = $0.removeValue(forKey: values) }
    }

    func render(into text: inout String) {
        let children = children.withLock { $0 }
        guard !children.isEmpty else { return }
        text += "# HELP \(name) \(MetricText.escapedHelp(help))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for (values, child) in children.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let pairs = zip(labels, values).map { "\($0)=\"\(MetricText.escapedValue($1))\"" }
            child.render(name, pairs.joined(separator: ","), into: &text)
        }
    }
}

protocol MetricFamily: Sendable {
    func render(into text: inout String)
}

/// The exposition format's small parts.
enum MetricText {
    static func sample(
        _ name: String, _ labels: String, _ value: String, into text: inout String
    ) {
        text += name
        if !labels.isEmpty { text += "{" + labels + "}" }
        text += " " + value + "\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded() && abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }

    static func escapedHelp(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    static func escapedValue(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"": result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension Atomic where Value == UInt64 {
    /// Adds to a `Double` kept as its bits.
    borrowing func addDouble(_ amount: Double) {
        var old = load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = compareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}

internal import FreshetModel

/// Quantities as people read them in a terminal.
enum HumanUnits {
    /// `850 ms`, `3.2 s`, `45 s`, `2 min 5 s`, `3 h 12 min`, `6 d 4 h`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        switch milliseconds {
        case ..<1000: return "\(milliseconds) ms"
        case ..<10_000: return "\(decimal(Double(milliseconds) / 1000, digits: 1)) s"
        default: break
        }
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return pair(seconds, 60, "min", 1, "s")
        case ..<86_400: return pair(seconds, 3600, "h", 60, "min")
        default: return pair(seconds, 86_400, "d", 3600, "h")
        }
    }

    /// `512 B`, `1.2 KiB`, `81 MiB`.
    static func bytes(_ count: Int) -> String {
        guard count >= 1024 else { return "\(count) B" }
        var value = Double(count)
        var unit = ""
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        return "\(decimal(value, digits: value < 10 ? 1 : 0)) \(unit)"
    }

    /// A number with `digits` after the point, without trailing zeros after a whole number.
    static func decimal(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let whole = Int(scaled / scale)
        let fraction = Int(scaled) - whole * Int(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard fraction != 0 else { return "\(sign)\(whole)" }
        let text = String(fraction)
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
    }

    /// A whole number with a thin group mark: `1 234 567`.
    static func count(_ value: Int) -> String {
        var groups: [String] = []
        var digits = String(value.magnitude)
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (value < 0 ? "-" : "") + groups.joined(separator: " ")
    }

    private static func pair(
        _ seconds: Int64, _ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String
    ) -> String {
        let rest = seconds % large / small
        let head = "\(seconds / large) \(largeUnit)"
        return rest == 0 ? head : "\(head) \(rest) \(smallUnit)"
    }
}

/// Durations such as `250ms 30s 5m 12h 6d 2w`.
enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ("w", 604_800_000),
    ]

    /// A whole number and a unit; `nil` for anything else, and past 10,000 years.
    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = units.first(where: { $0.suffix == text[digits.endIndex...] }),
            (1...15).contains(digits.utf8.count), let count = Int64(digits)
        else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds <= 10_000 * 366 * 86_400_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// The duration in the largest unit that leaves no rest.
    static func describe(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}

/// Sizes such as `64KiB 100MiB 1GiB`, or plain bytes.
enum SizeText {
    private static let units: [(suffix: String, bytes: Int)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// A whole number, with a unit or in bytes; `nil` for anything else.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = units.first(where: { $0.suffix == text[digits.endIndex...] }),
            (1...15).contains(digits.utf8.count), let count = Int(digits)
        else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// The size in the largest unit that leaves no rest.
    static func describe(_ bytes: Int) -> String {
        let unit = bytes == 0 ? units[0] : units.last { bytes % $0.bytes == 0 } ?? units[0]
        return "\(bytes / unit.bytes)\(unit.bytes == 1 ? "" : unit.suffix)"
    }

    /// What was meant by `10MB` or `10 mib`.
    static func correction(_ text: String) -> String {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let letter = text[digits.endIndex...].drop { $0 == " " }.first.map { $0.uppercased() }
        guard !digits.isEmpty, let letter, ["K", "M", "G"].contains(letter) else { return "" }
        return "; did you mean `\(digits)\(letter)iB`?"
    }
}

extension Values {
    /// A duration in `range`. A bare `0` is zero where zero is in range.
    static func duration(
        _ range: ClosedRange<Duration>
    ) -> (Node) throws(ValueError) -> Duration {
        { node throws(ValueError) in
            let wanted = "a duration such as `30s`"
            let scalar = try scalar(node, wanted: wanted)
            guard !scalar.isNull else { throw ValueError("has no value; it is \(wanted)") }
            guard let value = scalar.text == "0" ? .zero : DurationText.parse(scalar.text) else {
                let isNumber = wholeNumber(scalar.text) != nil
                throw ValueError(
                    "expected \(wanted) (units: ms, s, m, h, d, w), found \(scalar.quotation)"
                        + (isNumber && !scalar.isFromEnvironment
                            ? "; did you mean `\(scalar.text)s`?" : ""))
            }
            guard range.contains(value) else {
                throw ValueError(
                    "\(scalar.quotation) is not in \(DurationText.describe(range.lowerBound)) ... "
                        + DurationText.describe(range.upperBound))
            }
            return value
        }
    }

    /// A size in bytes in `range`.
    static func size(_ range: ClosedRange<Int>) -> (Node) throws(ValueError) -> Int {
        { node throws(ValueError) in
            let wanted = "a size such as `100MiB`"
            let scalar = try scalar(node, wanted: wanted)
            guard !scalar.isNull else { throw ValueError("has no value; it is \(wanted)") }
            guard let value = SizeText.parse(scalar.text) else {
                throw ValueError(
                    "expected \(wanted) (units: KiB, MiB, GiB, or plain bytes), "
                        + "found \(scalar.quotation)"
                        + (scalar.isFromEnvironment ? "" : SizeText.correction(scalar.text)))
            }
            guard range.contains(value) else {
                throw ValueError(
                    "\(scalar.quotation) is not in \(SizeText.describe(range.lowerBound)) ... "
                        + SizeText.describe(range.upperBound))
            }
            return value
        }
    }
}

extension Duration {
    /// The longest duration that makes sense anywhere.
    static var century: Duration { .seconds(36_500 * 86_400) }
}

extension ClosedRange<Duration> {
    /// From a millisecond on.
    static var positive: Self { .milliseconds(1) ... .century }
    /// From zero on.
    static var any: Self { .zero ... .century }
}

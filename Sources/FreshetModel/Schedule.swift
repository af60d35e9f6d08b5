/// When a resource is refreshed without being asked.
public enum Schedule: Hashable, Sendable {
    /// This long after the last success; at once when nothing is kept.
    case every(Duration)
    /// At the minutes of a cron expression in UTC; missed ones are made up once.
    case cron(CronExpression)
}

/// Five fields of `crontab(5)`: minute, hour, day of month, month, day of week. UTC.
///
/// Lists, ranges, steps and the English three-letter names are understood. As in `crontab(5)`, a
/// day matches either field when both days are restricted.
public struct CronExpression: Hashable, Sendable, CustomStringConvertible {
    /// The expression as written.
    public let text: String
    let minutes: UInt64
    let hours: UInt64
    let days: UInt64
    let months: UInt64
    let weekdays: UInt64
    let daysRestricted: Bool
    let weekdaysRestricted: Bool

    /// Why an expression was refused.
    public struct ParseError: Error, Hashable {
        /// One sentence for people.
        public var message: String
    }

    /// The expression as written.
    public var description: String { text }

    /// Reads five fields separated by spaces, or `@hourly @daily @midnight @weekly @monthly @yearly
    /// @annually`.
    /// - Throws: `ParseError` naming the field.
    public init(_ text: String) throws(ParseError) {
        let shorthands = [
            "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
            "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
            "@annually": "0 0 1 1 *",
        ]
        let fields = (shorthands[text] ?? text).split { $0 == " " || $0 == "\t" }.map(String.init)
        guard fields.count == 5 else {
            throw ParseError(
                message: "a cron expression has 5 fields (minute hour day month weekday), "
                    + "this one has \(fields.count)")
        }
        let monthNames = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        self.text = text
        minutes = try Self.parse(fields[0], "minute", 0...59)
        hours = try Self.parse(fields[1], "hour", 0...23)
        days = try Self.parse(fields[2], "day of month", 1...31)
        months = try Self.parse(fields[3], "month", 1...12, names: monthNames, firstName: 1)
        let week = try Self.parse(fields[4], "day of week", 0...7, names: dayNames, firstName: 0)
        weekdays = week & 0x80 != 0 ? (week | 1) & 0x7F : week
        daysRestricted = !fields[2].hasPrefix("*")
        weekdaysRestricted = !fields[4].hasPrefix("*")
        guard next(after: Timestamp(milliseconds: 0)) != nil else {
            throw ParseError(message: "`\(text)` never comes: no month has such a day")
        }
    }

    /// The first matching minute strictly after `moment`; `nil` when none comes within 41 years,
    /// which is longer than 29 February takes to fall on any given weekday.
    public func next(after moment: Timestamp) -> Timestamp? {
        guard moment.milliseconds.magnitude < UInt64(Int64.max / 2) else { return nil }
        let minute: Int64 = 60_000
        let hour = 60 * minute
        let day = 24 * hour
        var candidate = (moment.milliseconds.flooredDivision(minute) + 1) * minute
        let end = candidate + 41 * 366 * day
        while candidate < end {
            let time = CalendarTime(Timestamp(milliseconds: candidate))
            if !matchesDay(time) {
                candidate = (candidate.flooredDivision(day) + 1) * day
            } else if hours & (1 << UInt64(time.hour)) == 0 {
                candidate = (candidate.flooredDivision(hour) + 1) * hour
            } else if minutes & (1 << UInt64(time.minute)) == 0 {
                candidate += minute
            } else {
                return Timestamp(milliseconds: candidate)
            }
        }
        return nil
    }

    private func matchesDay(_ time: CalendarTime) -> Bool {
        guard months & (1 << UInt64(time.month)) != 0 else { return false }
        let day = days & (1 << UInt64(time.day)) != 0
        let weekday = weekdays & (1 << UInt64(time.weekday)) != 0
        return daysRestricted && weekdaysRestricted ? day || weekday : day && weekday
    }

    private static func parse(
        _ field: String, _ name: String, _ range: ClosedRange<Int>, names: [String] = [],
        firstName: Int = 0
    ) throws(ParseError) -> UInt64 {
        func refuse(_ why: String) -> ParseError {
            ParseError(message: "\(name) `\(field)`: \(why)")
        }
        func number(_ text: Substring) throws(ParseError) -> Int {
            if let index = names.firstIndex(of: text.lowercased()) { return index + firstName }
            guard let value = Self.digits(text), range.contains(value) else {
                throw refuse("`\(text)` is not in \(range.lowerBound)-\(range.upperBound)")
            }
            return value
        }
        var bits: UInt64 = 0
        for piece in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = piece.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2, let base = halves.first else {
                throw refuse("one `/` at most")
            }
            var step = 1
            if halves.count == 2 {
                guard let value = Self.digits(halves[1]), (1...range.upperBound).contains(value)
                else {
                    throw refuse("the step `\(halves[1])` is not a number in range")
                }
                step = value
            }
            let bounds: ClosedRange<Int>
            if base == "*" {
                bounds = range
            } else {
                let ends = base.split(separator: "-", omittingEmptySubsequences: false)
                guard ends.count <= 2 else { throw refuse("a range has one `-`") }
                let low = try number(ends[0])
                var high =
                    ends.count == 2
                    ? try number(ends[1]) : (halves.count == 2 ? range.upperBound : low)
                // `fri-sun`: the week may end on Sunday as it may begin there.
                if high < low, high == 0, range.upperBound == 7 { high = 7 }
                guard low <= high else { throw refuse("the range runs backwards") }
                bounds = low...high
            }
            for value in stride(from: bounds.lowerBound, through: bounds.upperBound, by: step) {
                bits |= 1 << UInt64(value)
            }
        }
        return bits
    }

    /// A number of digits only: `Int` would also take a sign.
    private static func digits(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}

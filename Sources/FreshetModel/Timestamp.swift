/// A moment on Redis' clock, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Redis' clock is the only clock of the system: no transition takes a time from a machine of ours.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch.
    public var milliseconds: Int64

    /// A moment `milliseconds` after the Unix epoch.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment `duration` later.
    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds.addingClamped(right.milliseconds))
    }

    /// The time from `right` to `left`; negative when `left` is earlier.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(
            right.milliseconds)
        return .milliseconds(overflow ? (left < right ? .min : .max) : difference)
    }

    /// Year, month, day, hour, minute, second and weekday (0 is Sunday) in UTC.
    public var utc: CalendarTime { CalendarTime(self) }

    /// RFC 3339 in UTC with a `Z`; the fraction appears only when it is not zero.
    public var rfc3339: String {
        let time = utc
        let fraction = Int(milliseconds - (milliseconds.flooredDivision(1000) * 1000))
        let date = "\(time.year.padded(4))-\(time.month.padded(2))-\(time.day.padded(2))"
        let clock = "\(time.hour.padded(2)):\(time.minute.padded(2)):\(time.second.padded(2))"
        return fraction == 0 ? "\(date)T\(clock)Z" : "\(date)T\(clock).\(fraction.padded(3))Z"
    }

    /// IMF-fixdate of RFC 9110 section 5.6.7, as `Last-Modified` wants it; the fraction is cut.
    public var httpDate: String {
        let time = utc
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let clock = "\(time.hour.padded(2)):\(time.minute.padded(2)):\(time.second.padded(2))"
        return "\(days[time.weekday]), \(time.day.padded(2)) \(months[time.month - 1]) "
            + "\(time.year.padded(4)) \(clock) GMT"
    }
}

/// A moment broken into the fields of the proleptic Gregorian calendar, UTC.
public struct CalendarTime: Hashable, Sendable {
    /// The year, such as 2026.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int
    /// 0 to 59.
    public var second: Int
    /// 0 is Sunday.
    public var weekday: Int

    /// Breaks `timestamp` into its fields.
    ///
    /// Days are turned into a date by the 400-year era arithmetic: years begin in March, so that
    /// the leap day is the last of its year.
    public init(_ timestamp: Timestamp) {
        let seconds = timestamp.milliseconds.flooredDivision(1000)
        let days = seconds.flooredDivision(86_400)
        let secondOfDay = Int(seconds - days * 86_400)
        let shifted = days + 719_468
        let era = shifted.flooredDivision(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = secondOfDay / 3600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        let sinceSunday = (days + 4) % 7
        weekday = Int(sinceSunday < 0 ? sinceSunday + 7 : sinceSunday)
    }
}

extension Duration {
    /// Whole milliseconds, cut towards zero, clamped to what an `Int64` holds.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product.addingClamped(attoseconds / 1_000_000_000_000_000)
    }

    /// Seconds as a floating-point number, for JSON fields that end in `_seconds`.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

extension Int64 {
    func flooredDivision(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

extension Int {
    /// The number in decimal with leading zeros up to `width` digits.
    func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

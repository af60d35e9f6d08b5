internal import CLinux

/// The time of day as people read it; never used to measure or to order anything.
package enum WallClock {
    /// Milliseconds since 1970.
    package static func milliseconds() -> Int64 { freshet_realtime_milliseconds() }

    /// RFC 3339 in UTC with milliseconds, `2026-11-21T02:40:00.123Z`.
    package static func text(_ milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, 86_400_000)
        let inDay = Int(milliseconds - day * 86_400_000)
        let (year, month, dayOfMonth) = civil(Int(day))
        let seconds = inDay / 1000
        return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(dayOfMonth, 2) + "T"
            + pad(seconds / 3600, 2) + ":" + pad(seconds / 60 % 60, 2) + ":" + pad(seconds % 60, 2)
            + "." + pad(inDay % 1000, 3) + "Z"
    }

    /// IMF-fixdate of RFC 9110, section 5.6.7: `Sat, 21 Nov 2026 02:40:00 GMT`, always 29 bytes.
    package static func httpDate(_ milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, 86_400_000)
        let seconds = Int(milliseconds - day * 86_400_000) / 1000
        let (year, month, dayOfMonth) = civil(Int(day))
        // 1970 began on a Thursday.
        let weekday = Int((day % 7 + 11) % 7)
        return weekdays[weekday] + ", " + pad(dayOfMonth, 2) + " " + months[month - 1] + " "
            + pad(year, 4) + " " + pad(seconds / 3600, 2) + ":" + pad(seconds / 60 % 60, 2) + ":"
            + pad(seconds % 60, 2) + " GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// Days since 1970 to a date of the Gregorian calendar, in years that begin in March so that the
    /// leap day is the last.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

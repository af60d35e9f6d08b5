import FreshetModel
import Testing

@Suite("Cron")
struct CronTests {
    /// 2026-11-21T02:21:30Z, a Saturday.
    private let now = Timestamp(milliseconds: 1_795_227_690_000)

    @Test(
        "the next time",
        arguments: [
            ("* * * * *", "2026-11-21T02:22:00Z"),
            ("*/15 * * * *", "2026-11-21T02:30:00Z"),
            ("0 6 * * 1", "2026-11-23T06:00:00Z"),
            ("0 6 * * mon", "2026-11-23T06:00:00Z"),
            ("0 6 * * MON-FRI", "2026-11-23T06:00:00Z"),
            ("0 0 * * 7", "2026-11-22T00:00:00Z"),
            ("0 0 * * 0", "2026-11-22T00:00:00Z"),
            ("0 0 * * fri-sun", "2026-11-22T00:00:00Z"),
            ("21 2 * * *", "2026-11-22T02:21:00Z"),
            ("22 2 * * *", "2026-11-21T02:22:00Z"),
            ("59 23 31 12 *", "2026-12-31T23:59:00Z"),
            ("0 0 1 1 *", "2027-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("0 0 31 * *", "2026-12-31T00:00:00Z"),
            ("30 12 15 jun,DEC *", "2026-12-15T12:30:00Z"),
            ("0 0 13 * 5", "2026-11-27T00:00:00Z"),
            ("0 0 */2 * 1", "2026-11-23T00:00:00Z"),
            ("5/20 3 * * *", "2026-11-21T03:05:00Z"),
            ("10-12,50 1,4 * * *", "2026-11-21T04:10:00Z"),
            ("@hourly", "2026-11-21T03:00:00Z"),
            ("@daily", "2026-11-22T00:00:00Z"),
            ("@midnight", "2026-11-22T00:00:00Z"),
            ("@weekly", "2026-11-22T00:00:00Z"),
            ("@monthly", "2026-12-01T00:00:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z"),
            ("@annually", "2027-01-01T00:00:00Z"),
            ("0\t0  *   * *", "2026-11-22T00:00:00Z"),
        ])
    func next(text: String, expected: String) throws {
        #expect(try CronExpression(text).next(after: now)?.rfc3339 == expected)
    }

    @Test("a time itself is not its own next")
    func strictlyAfter() throws {
        let daily = try CronExpression("0 0 * * *")
        let midnight = Timestamp(milliseconds: 1_795_219_200_000)
        #expect(midnight.rfc3339 == "2026-11-21T00:00:00Z")
        #expect(daily.next(after: midnight)?.rfc3339 == "2026-11-22T00:00:00Z")
        #expect(
            daily.next(after: Timestamp(milliseconds: midnight.milliseconds - 1)) == midnight)
    }

    @Test("clocks are not put forward or back: every day of two years has its 02:30")
    func noSummerTime() throws {
        let cron = try CronExpression("30 2 * * *")
        var moment = try #require(cron.next(after: now))
        for _ in 0..<731 {
            let following = try #require(cron.next(after: moment))
            #expect((following - moment).milliseconds == 86_400_000)
            moment = following
        }
    }

    @Test("leap days, over a year that has none")
    func leapDays() throws {
        let cron = try CronExpression("0 0 29 feb *")
        let before = Timestamp(milliseconds: 3_982_000_000_000)
        #expect(before.utc.year == 2096)
        #expect(cron.next(after: before)?.rfc3339 == "2104-02-29T00:00:00Z")
        // A leap day on a Monday, from one to the next.
        let monday = try CronExpression("0 0 29 2 */1")
        #expect(monday.next(after: now)?.rfc3339 == "2028-02-29T00:00:00Z")
    }

    @Test("agrees with a search minute by minute")
    func bruteForce() throws {
        for text in ["7 */5 * * *", "0 3 1,15 * *", "30 4 10 * sun", "*/7 22-23 * 12 1-5"] {
            let cron = try CronExpression(text)
            let fields = text.split(separator: " ").map(String.init)
            var minute = now.milliseconds / 60_000 + 1
            var found: [Int64] = []
            while found.count < 6, minute < now.milliseconds / 60_000 + 60 * 24 * 400 {
                if Self.matches(fields, Timestamp(milliseconds: minute * 60_000).utc) {
                    found.append(minute * 60_000)
                }
                minute += 1
            }
            var moment = now
            for expected in found {
                moment = try #require(cron.next(after: moment))
                #expect(moment.milliseconds == expected, "\(text)")
            }
        }
    }

    private static func matches(_ fields: [String], _ time: CalendarTime) -> Bool {
        func holds(_ field: String, _ value: Int, _ first: Int) -> Bool {
            field.split(separator: ",").contains { piece in
                if piece == "*" { return true }
                if piece == "sun" { return value == 0 }
                if piece.hasPrefix("*/") {
                    return (value - first) % (Int(piece.dropFirst(2)) ?? 1) == 0
                }
                let ends = piece.split(separator: "-").compactMap { Int($0) }
                return ends.count == 2 ? (ends[0]...ends[1]).contains(value) : ends.first == value
            }
        }
        let (day, weekday) = (holds(fields[2], time.day, 1), holds(fields[4], time.weekday, 0))
        let both = fields[2] != "*" && fields[4] != "*"
        return holds(fields[0], time.minute, 0) && holds(fields[1], time.hour, 0)
            && holds(fields[3], time.month, 1) && (both ? day || weekday : day && weekday)
    }

    @Test(
        "malformed expressions are refused and the field is named",
        arguments: [
            ("", "5 fields"), ("* * * *", "has 4"), ("* * * * * *", "has 6"),
            ("60 * * * *", "minute `60`"), ("* 24 * * *", "hour `24`"),
            ("* * 0 * *", "day of month `0`"), ("* * * 13 *", "month `13`"),
            ("* * * * 8", "day of week `8`"), ("5-1 * * * *", "backwards"),
            ("*/0 * * * *", "step"), ("*/60 * * * *", "step"), ("1,,2 * * * *", "``"),
            ("+5 * * * *", "`+5`"), ("*/+5 * * * *", "step"), ("a * * * *", "`a`"),
            ("1-2-3 * * * *", "one `-`"), ("1/2/3 * * * *", "one `/`"), ("-5 * * * *", "``"),
            ("0 0 30 2 *", "never comes"), ("0 0 31 4,6,9,11 *", "never comes"),
            ("@often", "has 1"), ("* * * * monday", "`monday`"), ("٣ * * * *", "`٣`"),
        ])
    func malformed(text: String, part: String) {
        do {
            _ = try CronExpression(text)
            Issue.record("`\(text)` was taken")
        } catch {
            #expect(error.message.contains(part), "\(error.message)")
        }
    }

    @Test("the end of time has no next")
    func endOfTime() throws {
        let cron = try CronExpression("* * * * *")
        #expect(cron.next(after: Timestamp(milliseconds: .max)) == nil)
        #expect(cron.next(after: Timestamp(milliseconds: .min)) == nil)
    }
}

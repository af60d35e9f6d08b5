import FreshetModel
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "RFC 3339 and HTTP dates",
        arguments: [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_764_325_800_000, "2025-11-28T10:30:00Z", "Fri, 28 Nov 2025 10:30:00 GMT"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400_000, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_709_251_199_005, "2024-02-29T23:59:59.005Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String, String)])
    func formats(milliseconds: Int64, rfc3339: String, http: String) {
        let moment = Timestamp(milliseconds: milliseconds)
        #expect(moment.rfc3339 == rfc3339)
        #expect(moment.httpDate == http)
    }

    @Test("the calendar agrees with one counted day by day for 500 years")
    func calendar() {
        func isLeap(_ year: Int) -> Bool {
            year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        }
        var (year, month, day, weekday) = (1970, 1, 1, 4)
        var wrong = 0
        for number in 0..<(500 * 365) {
            let time = Timestamp(milliseconds: Int64(number) * 86_400_000 + 45_296_789).utc
            if (time.year, time.month, time.day, time.weekday) != (year, month, day, weekday)
                || (time.hour, time.minute, time.second) != (12, 34, 56)
            {
                wrong += 1
            }
            weekday = (weekday + 1) % 7
            let lengths = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
        #expect(wrong == 0)
    }

    @Test("arithmetic keeps within its bounds")
    func arithmetic() {
        let moment = Timestamp(milliseconds: 1_500)
        #expect(moment + .seconds(2) == Timestamp(milliseconds: 3_500))
        #expect(Timestamp(milliseconds: .max) + .seconds(1) == Timestamp(milliseconds: .max))
        #expect(moment + .seconds(Int64.max) == Timestamp(milliseconds: .max))
        #expect(moment - Timestamp(milliseconds: 2_000) == .milliseconds(-500))
        #expect((Timestamp(milliseconds: .min) - moment).milliseconds == .min)
        #expect(Duration.milliseconds(-1_500).milliseconds == -1_500)
        #expect(Duration.microseconds(1_999).milliseconds == 1)
        #expect(Duration.milliseconds(250).inSeconds == 0.25)
    }
}

@Suite("Freshness")
struct FreshnessTests {
    @Test("delays grow by the backoff up to the maximum, and end with the attempts")
    func backoff() {
        var policy = RetryPolicy()
        policy.maximumRetries = 6
        let delays = (1...7).map { policy.delay(afterAttempt: $0, spread: 0.5) }
        #expect(
            delays
                == [60, 120, 240, 480, 600, 600].map { .seconds($0) as Duration? } + [nil])
        #expect(policy.maximumAttempts == 7)
    }

    @Test("the spread is 10 % to either side")
    func spread() {
        let policy = RetryPolicy()
        #expect(policy.delay(afterAttempt: 1, spread: 0) == .seconds(54))
        #expect(policy.delay(afterAttempt: 1, spread: 0.999_999)?.milliseconds == 65_999)
    }

    @Test("no retries, a constant delay, an interval above the maximum, absurd numbers")
    func corners() {
        var policy = RetryPolicy()
        policy.maximumRetries = 0
        #expect(policy.delay(afterAttempt: 1, spread: 0.5) == nil)
        policy.maximumRetries = 1_000_000
        policy.backoff = 1
        #expect(policy.delay(afterAttempt: 900_000, spread: 0.5) == .seconds(60))
        policy.interval = .seconds(3_600)
        #expect(policy.delay(afterAttempt: 5, spread: 0.5) == .seconds(3_600))
        policy.interval = .seconds(Int64.max)
        policy.backoff = 10
        policy.maximumInterval = .seconds(Int64.max)
        #expect(policy.delay(afterAttempt: 1_000, spread: 0.5) != nil)
    }

    @Test("the defaults are those of the contract")
    func defaults() {
        let settings = Settings()
        #expect(settings.redis.namespace == "freshet")
        #expect(settings.redis.partitions == 1)
        #expect(settings.api.listen == "127.0.0.1:8080")
        #expect(settings.api.memoryLimit == 256 * 1024 * 1024)
        #expect(settings.worker.concurrency == 4)
        #expect(settings.refresh.maximumQueue == 1_000_000)
        #expect(settings.refresh.batchSize == 5)
        let policy = FreshnessPolicy()
        #expect(policy.freshFor == .duration(.seconds(300)))
        #expect(policy.keepFor == .seconds(604_800))
    }
}

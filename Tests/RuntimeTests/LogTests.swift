import Testing

@testable import Runtime

@Suite("Log")
struct LogTests {
    private static let time: Int64 = 1_795_228_800_123

    private func line(_ format: Log.Format, _ fields: Log.Fields) -> String {
        String(
            decoding: LogLine.encode(format, at: Self.time, .info, "job.claimed", fields).bytes,
            as: UTF8.self)
    }

    @Test("a line of text")
    func text() {
        let fields: Log.Fields = [
            "key": "cinema", "fence": 7, "ratio": 0.5, "ok": true, "detail": "two words",
            "quote": "a\"b\nc", "empty": "", "none": nil,
        ]
        #expect(
            line(.text, fields) == """
                2026-11-21T02:40:00.123Z info job.claimed key=cinema fence=7 ratio=0.5 ok=true \
                detail="two words" quote="a\\"b\\nc" empty=""

                """)
    }

    @Test("a line of JSON")
    func json() {
        let fields: Log.Fields = [
            "key": "ä\u{1}\\", "fence": UInt64.max, "ratio": 0.5, "infinite": Double.infinity,
            "ok": false, "none": nil,
        ]
        #expect(
            line(.json, fields) == """
                {"time":"2026-11-21T02:40:00.123Z","level":"info","event":"job.claimed",\
                "key":"ä\\u0001\\\\","fence":18446744073709551615,"ratio":0.5,"infinite":"inf",\
                "ok":false}

                """)
    }

    @Test("secrets do not get in")
    func secrets() {
        #expect(
            line(.text, ["api_key": "s", "redis_password": "p"]).hasSuffix(
                "api_key=[masked] redis_password=[masked]\n"))
        let url = "redis://user:pa:ss@host:6379/0 and unix:///a@b and http://a@b/c:d@e"
        #expect(
            LogMask.withoutPassword(url)
                == "redis://user:[masked]@host:6379/0 and unix:///a@b and http://a@b/c:d@e")
        #expect(LogMask.withoutPassword("redis://:pw@h") == "redis://:[masked]@h")
        #expect(LogMask.withoutPassword("mail a@b: c://") == "mail a@b: c://")
    }

    @Test("levels by name, and which are on")
    func levels() {
        #expect(Log.Level(name: "warning") == .warning && Log.Level(name: "WARN") == nil)
        #expect(Log.Level.trace < .debug && Log.Level.info < .error)
    }

    @Test(
        "times of day",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_795_228_800_123, "2026-11-21T02:40:00.123Z", "Sat, 21 Nov 2026 02:40:00 GMT"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
            (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func clock(milliseconds: Int64, rfc3339: String, http: String) {
        #expect(WallClock.text(milliseconds) == rfc3339)
        #expect(WallClock.httpDate(milliseconds) == http)
    }
}

import FreshetModel
import Testing

@testable import API

@Suite("grammar of requests")
struct GrammarTests {
    @Test("Accept-Encoding: weights decide, what is not listed is not taken")
    func encodings() {
        #expect(AcceptedEncodings(nil).best == .identity)
        #expect(AcceptedEncodings("").best == .identity)
        #expect(AcceptedEncodings("gzip").best == .gzip)
        #expect(AcceptedEncodings("gzip, deflate, br, zstd").best == .zstd)
        #expect(AcceptedEncodings("zstd;q=0.1, gzip;q=0.2").best == .gzip)
        #expect(AcceptedEncodings("gzip;q=0").best == .identity)
        #expect(AcceptedEncodings("*").best == .zstd)
        #expect(AcceptedEncodings("*;q=0").best == .identity)
        #expect(AcceptedEncodings("identity, gzip;q=0.5").best == .identity)
        #expect(AcceptedEncodings("GZIP; Q=1.0").best == .gzip)
        #expect(AcceptedEncodings("gzip;q=nonsense").best == .identity)
    }

    @Test("If-None-Match compares weakly, If-Range strongly")
    func tags() {
        let strong = EntityTag(opaque: "7-ab", isWeak: false)
        let weak = EntityTag(opaque: "7-ab", isWeak: true)
        for tag in [strong, weak] {
            #expect(tag.isNamed(byIfNoneMatch: "\"7-ab\""))
            #expect(tag.isNamed(byIfNoneMatch: "\"x,y\", W/\"7-ab\""))
            #expect(tag.isNamed(byIfNoneMatch: "*"))
            #expect(!tag.isNamed(byIfNoneMatch: "\"7-a\""))
            #expect(!tag.isNamed(byIfNoneMatch: "7-ab"))
        }
        #expect(strong.isNamed(byIfRange: "\"7-ab\""))
        #expect(!strong.isNamed(byIfRange: "W/\"7-ab\""))
        #expect(!weak.isNamed(byIfRange: "\"7-ab\""))
        #expect(!strong.isNamed(byIfRange: "Sat, 29 Oct 1994 19:43:31 GMT"))
    }

    @Test("ranges of bytes")
    func ranges() {
        #expect(ByteRange(nil, length: 10) == .whole)
        #expect(ByteRange("bytes=0-", length: 10) == .part(0..<10))
        #expect(ByteRange("bytes=2-3", length: 10) == .part(2..<4))
        #expect(ByteRange("bytes=2-99", length: 10) == .part(2..<10))
        #expect(ByteRange("bytes=-4", length: 10) == .part(6..<10))
        #expect(ByteRange("bytes=-40", length: 10) == .part(0..<10))
        #expect(ByteRange("bytes=10-", length: 10) == .unsatisfiable)
        #expect(ByteRange("bytes=-0", length: 10) == .unsatisfiable)
        #expect(ByteRange("bytes=99999999999999999999-", length: 10) == .unsatisfiable)
        for field in ["bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes", "bytes=--1"]
        {
            #expect(ByteRange(field, length: 10) == .whole, "\(field)")
        }
    }

    @Test("Prefer: the first of equal ones, at most a minute")
    func preferences() {
        #expect(Preferences("wait=10").wait == 10)
        #expect(Preferences("wait=100").wait == 60)
        #expect(Preferences("respond-async, wait=5").wait == 5)
        #expect(Preferences("Respond-Async").respondAsync)
        #expect(Preferences("wait=5, wait=7").wait == 5)
        #expect(Preferences("wait=x, return=minimal").isEmpty)
        #expect(Preferences("wait=99999999999999999999").wait == 60)
    }

    @Test("cursors are refused when cut, changed or from another listing")
    func cursors() throws {
        let sealed = try #require(Cursor.seal("0.1.abc", of: "jobs"))
        #expect(Cursor.open(sealed, of: "jobs") == "0.1.abc")
        #expect(Cursor.open(sealed, of: "resources") == nil)
        #expect(Cursor.open(String(sealed.dropLast()), of: "jobs") == nil)
        #expect(Cursor.open("x", of: "jobs") == nil)
    }

    @Test("bodies of askings are read strictly")
    func bodies() throws {
        let body = try RefreshBody(
            Array(
                "{\"force\":true,\"scope\":[\"b\",\"a/c\"],\"priority\":\"high\",\"delay_seconds\":1.5}"
                    .utf8))
        #expect(body.force)
        #expect(body.scope == .parts(["a/c", "b"]))
        #expect(body.priority == .high)
        #expect(body.delay == .milliseconds(1500))
        #expect(try RefreshBody([]) == RefreshBody(Array("{}".utf8)))
        for text in [
            "[]", "{", "{\"force\":1}", "{\"scope\":\"a\"}", "{\"scope\":[\"../a\"]}",
            "{\"scope\":[\"/a\"]}", "{\"scope\":[\"\"]}", "{\"priority\":\"urgent\"}",
            "{\"delay_seconds\":-1}", "{\"delay_seconds\":\"1\"}", "{\"delay_seconds\":1e99}",
            "{\"colour\":1}", "{\"force\":true,\"force\":false}", "{\"keys\":[\"a\"]}", "null",
        ] {
            #expect(throws: Problem.self, "\(text)") { try RefreshBody(Array(text.utf8)) }
        }
    }

    @Test("a position over several partitions reads back")
    func positions() throws {
        var position = StreamPosition()
        for partition in [0, 3, 255] {
            position.advance(
                to: EventID(
                    partition: partition, epoch: 1_795_226_400_000 + Int64(partition),
                    sequence: 12_345, index: 2))
        }
        let text = position.text(partitions: 256)
        #expect(StreamPosition(text) == position)
        let single = EventID(partition: 4, epoch: 5, sequence: 6, index: 0)
        #expect(StreamPosition("4-5-6-0")?.latest == [4: single])
        for text in ["", "m~", "m~x~y", "1-2-3", "m~a~0.1.2", "m~a~0.z.1.1"] {
            #expect(StreamPosition(text) == nil, "\(text)")
        }
    }

    @Test("the store's clock is told from replies, and follows when it is set")
    func clock() {
        var clock = StoreClock()
        clock.observe(Timestamp(milliseconds: 10_000), sent: 1_000_000_000, received: 1_010_000_000)
        let now = clock.now(2_005_000_000).milliseconds
        #expect((10_990...11_010).contains(now))
        clock.observe(Timestamp(milliseconds: 50_000), sent: 2_010_000_000, received: 2_011_000_000)
        #expect((49_998...50_002).contains(clock.now(2_011_000_000).milliseconds))
    }

    @Test("buckets refill; callers do not share them")
    func limiter() {
        var limiter = RateLimiter(RateLimit(requestsPerSecond: 2, burst: 2))
        do {
            let decision = limiter.admit("a", now: 0)
            #expect(decision.retryAfter == nil)
        }
        do {
            let decision = limiter.admit("a", now: 0)
            #expect(decision.retryAfter == nil)
        }
        do {
            let decision = limiter.admit("a", now: 0)
            #expect(decision.retryAfter == 1)
        }
        do {
            let decision = limiter.admit("b", now: 0)
            #expect(decision.retryAfter == nil)
        }
        do {
            let decision = limiter.admit("a", now: 500_000_000)
            #expect(decision.retryAfter == nil)
        }
        do {
            let decision = limiter.admit("a", now: 500_000_000)
            #expect(decision.retryAfter == 1)
        }
    }

    @Test("wildcards of a key's resources")
    func access() {
        let access = ResourceAccess(patterns: ["cinema", "process.*"])
        #expect(access.allows(APIFixture.name("cinema")))
        #expect(access.allows(APIFixture.name("process.list")))
        #expect(!access.allows(APIFixture.name("process")))
        #expect(!access.allows(APIFixture.name("cinemas")))
        #expect(ResourceAccess.all.allows(APIFixture.name("x")))
    }
}

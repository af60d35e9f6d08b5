import FreshetModel
import Testing

@Suite("Key")
struct KeyTests {
    @Test("parameters are sorted by name and percent-encoded")
    func canonical() throws {
        let key = try #require(Key("events?page=2&city=oslo"))
        #expect(key.text == "events?city=oslo&page=2")
        #expect(key.resource.text == "events")
        #expect(key.parameters.map(\.name) == ["city", "page"])
        #expect(key.parameters.map(\.value) == ["oslo", "2"])
    }

    @Test(
        "spellings of one key have one text",
        arguments: [
            ("events?city=oslo", "events?city=oslo"),
            ("events?city=%6fslo", "events?city=oslo"),
            ("events?city=%4F", "events?city=O"),
            ("events?a=1&&b=2", "events?a=1&b=2"),
            ("events?", "events"),
            ("events?q=a+b", "events?q=a%20b"),
            ("events?q=a%2bb", "events?q=a%2Bb"),
            ("events?q=bod%C3%B8", "events?q=bod%C3%B8"),
            ("events?q=bodø", "events?q=bod%C3%B8"),
            ("events?q", "events?q="),
            ("events?q=a=b", "events?q=a%3Db"),
            ("events?b.c=1&b-c=2&b=3&b_c=4&B=5", "events?B=5&b=3&b-c=2&b.c=1&b_c=4"),
        ])
    func spellings(written: String, canonical: String) throws {
        let key = try #require(Key(written))
        #expect(key.text == canonical)
        #expect(Key(canonical) == key)
        #expect(Key(canonical)?.text == canonical)
    }

    @Test(
        "malformed keys are refused",
        arguments: [
            "", "?a=1", "Events", "events?a=1&a=2", "events?a=%", "events?a=%4", "events?a=%GG",
            "events?a=%00", "events?a=%C3", "events?%FF=1", "-events", "events/x", "e vents",
        ])
    func malformed(text: String) { #expect(Key(text) == nil) }

    @Test("a value with NUL makes no key, because its text could not be read back")
    func nul() throws {
        let name = try #require(ResourceName("events"))
        #expect(Key(resource: name, parameters: [.init(name: "a", value: "x\0")]) == nil)
        #expect(Key(resource: name, parameters: [.init(name: "a\0", value: "x")]) == nil)
    }

    @Test("names that only look the same are two")
    func unicodeNames() throws {
        let name = try #require(ResourceName("events"))
        let key = try #require(
            Key(
                resource: name,
                parameters: [
                    .init(name: "\u{E9}", value: "1"), .init(name: "e\u{301}", value: "2"),
                ]
            ))
        #expect(key.text == "events?e%CC%81=2&%C3%A9=1")
    }

    @Test("the length of the text is bounded")
    func length() throws {
        let room = Key.maximumLength - "events?a=".utf8.count
        #expect(Key("events?a=" + String(repeating: "x", count: room)) != nil)
        #expect(Key("events?a=" + String(repeating: "x", count: room + 1)) == nil)
        #expect(Key("events?a=" + String(repeating: "ø", count: room / 6 + 1)) == nil)
    }

    @Test("what was encoded is decoded, for every pair of bytes that is UTF-8")
    func roundTrip() throws {
        var generator = SplitMix(seed: 7)
        let name = try #require(ResourceName("r"))
        for _ in 0..<2_000 {
            let value = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...20, using: &generator)).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 1...0x2FFF, using: &generator))
                    }))
            let key = try #require(
                Key(resource: name, parameters: [.init(name: "v", value: value)]))
            let again = try #require(Key(key.text))
            #expect(again.text == key.text)
            #expect(again.parameters[0].value.utf8.elementsEqual(value.utf8))
            let id = JobID(run: 5, key: key)
            #expect(JobID(id.text) == id)
        }
    }

    @Test("a partition depends on the text alone and all partitions are used")
    func partitions() throws {
        let keys = try (0..<2_000).map { try #require(Key("events?page=\($0)")) }
        #expect(keys.allSatisfy { $0.partition(of: 1) == 0 })
        var counts = [Int](repeating: 0, count: 16)
        for key in keys { counts[key.partition(of: 16)] += 1 }
        #expect(counts.allSatisfy { (60...190).contains($0) })
        // Written down: processes of different versions must agree.
        #expect(try #require(Key("cinema")).partition(of: 256) == 90)
    }

    @Test("keys order by their text")
    func order() throws {
        let keys = try ["b", "a?x=2", "a", "a?x=10"].map { try #require(Key($0)) }
        #expect(keys.sorted().map(\.text) == ["a", "a?x=10", "a?x=2", "b"])
    }
}

@Suite("Resource name")
struct ResourceNameTests {
    @Test(
        "the grammar holds",
        arguments: ["a", "0", "process.list", "a_b-c.d", String(repeating: "a", count: 64), "a."])
    func good(text: String) { #expect(ResourceName(text)?.text == text) }

    @Test(
        "all else is refused",
        arguments: [
            "", "A", ".a", "_a", "-a", "a b", "a/b", "ä", "a?", "a:b", "a\u{301}",
            String(repeating: "a", count: 65),
        ])
    func bad(text: String) { #expect(ResourceName(text) == nil) }

    @Test("the parent is the name before the last dot")
    func parent() {
        #expect(ResourceName("process")?.parent == nil)
        #expect(ResourceName("process.list")?.parent?.text == "process")
        #expect(ResourceName("process.list.own")?.parent?.text == "process.list")
    }
}

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test("only unreserved characters stay")
    func encode() {
        #expect(PercentEncoding.encode("AZaz09-._~") == "AZaz09-._~")
        #expect(PercentEncoding.encode(" /?&=%+#:@") == "%20%2F%3F%26%3D%25%2B%23%3A%40")
        #expect(PercentEncoding.encode("é€😀") == "%C3%A9%E2%82%AC%F0%9F%98%80")
        #expect(PercentEncoding.encode("") == "")
    }

    @Test("plus is a space in a query only")
    func plus() {
        #expect(PercentEncoding.decode("a+b") == "a+b")
        #expect(PercentEncoding.decode("a+b", plusIsSpace: true) == "a b")
        #expect(PercentEncoding.decode("a%2Bb", plusIsSpace: true) == "a+b")
    }

    @Test(
        "malformed escapes are refused",
        arguments: ["%", "%1", "%zz", "a%2", "%00", "%80", "%C3%28", "%ED%A0%80", "%C0%AF"])
    func malformed(text: String) { #expect(PercentEncoding.decode(text) == nil) }

    @Test("a query may repeat names and skip empty pieces")
    func query() {
        let parameters = PercentEncoding.decodeQuery("a=1&a=2&&b&=c")
        #expect(parameters?.map(\.name) == ["a", "a", "b", ""])
        #expect(parameters?.map(\.value) == ["1", "2", "", "c"])
        #expect(PercentEncoding.decodeQuery("a=%") == nil)
        #expect(PercentEncoding.decodeQuery("") == [])
    }
}

/// A small generator with a seed, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

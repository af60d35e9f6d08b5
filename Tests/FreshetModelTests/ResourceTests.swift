import FreshetModel
import Testing

@Suite("Resource")
struct ResourceTests {
    private func events() throws -> Resource {
        var resource = Resource(name: try #require(ResourceName("events")))
        resource.parameters = [
            ParameterRule(name: "city", pattern: "[a-z-]{1,40}", defaultValue: "oslo"),
            ParameterRule(name: "page", pattern: "[0-9]{1,4}"),
        ]
        return resource
    }

    @Test("defaults are filled in and the order does not matter")
    func key() throws {
        let resource = try events()
        let key = try resource.key(parameters: [.init(name: "page", value: "2")])
        #expect(key.text == "events?city=oslo&page=2")
        let same = try resource.key(parameters: [
            .init(name: "page", value: "2"), .init(name: "city", value: "oslo"),
        ])
        #expect(same == key)
    }

    @Test("what does not make a key says why")
    func refusals() throws {
        let resource = try events()
        func error(_ parameters: [(String, String)]) -> Resource.KeyError? {
            do {
                _ = try resource.key(parameters: parameters.map { .init(name: $0, value: $1) })
                return nil
            } catch { return error }
        }
        #expect(error([]) == .missing("page"))
        #expect(error([("page", "1"), ("size", "1")]) == .undeclared("size"))
        #expect(error([("page", "1"), ("page", "1")]) == .repeated("page"))
        #expect(error([("page", "x")]) == .mismatch(name: "page", pattern: "[0-9]{1,4}"))
        #expect(error([("page", "")]) == .mismatch(name: "page", pattern: "[0-9]{1,4}"))
        #expect(error([("page", String(repeating: "1", count: 2_000))]) == .tooLong)
    }

    @Test("a pattern that is none matches nothing, and can be mended")
    func badPattern() {
        var rule = ParameterRule(name: "a", pattern: "[")
        #expect(!rule.matches("["))
        rule.pattern = "[a-z]"
        #expect(rule.matches("x"))
        #expect(ParameterRule(name: "a").matches("Tromsø, 5/7"))
        #expect(!ParameterRule(name: "a").matches(""))
        #expect(ParameterRule(name: "a", pattern: "x") == ParameterRule(name: "a", pattern: "x"))
    }

    @Test("values that fit the pattern and not the key are too long")
    func tooLong() throws {
        var resource = Resource(name: try #require(ResourceName("r")))
        resource.parameters = [ParameterRule(name: "q", pattern: ".*")]
        #expect(throws: Resource.KeyError.tooLong) {
            try resource.key(parameters: [
                .init(name: "q", value: String(repeating: "ø", count: 400))
            ])
        }
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test("wider scopes include the narrower")
    func scopes() {
        let key = APIKey(name: "web", sha256: [], scopes: [.refresh])
        #expect(key.allows(.read))
        #expect(key.allows(.refresh))
        #expect(!key.allows(.admin))
        #expect(!APIKey(name: "web", sha256: [], scopes: []).allows(.read))
    }

    @Test("a key may be bound to resources")
    func resources() throws {
        var key = APIKey(name: "web", sha256: [], scopes: [.read])
        let list = try #require(ResourceName("process.list"))
        #expect(key.covers(list))
        key.resources = ["cinema", "process.*"]
        #expect(key.covers(list))
        #expect(!key.covers(try #require(ResourceName("process"))))
        #expect(key.covers(try #require(ResourceName("cinema"))))
    }

    @Test(
        "wildcards",
        arguments: [
            ("*", "", true), ("*", "abc", true), ("a*c", "abbc", true), ("a*c", "abcd", false),
            ("a*b*c", "aXbYbZc", true), ("", "", true), ("", "a", false), ("a", "ab", false),
            ("**a", "ba", true), ("*ab", "aab", true), ("a*", "b", false),
        ])
    func wildcard(pattern: String, text: String, expected: Bool) {
        #expect(Wildcard.matches(pattern, text) == expected)
    }

    @Test(
        "addresses to listen on",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("localhost:0", "localhost", 0, true),
            ("[::1]:80", "::1", 80, true), ("0.0.0.0:65535", "0.0.0.0", 65_535, false),
            ("[::]:80", "::", 80, false), ("127.9.8.7:1", "127.9.8.7", 1, true),
            ("127.evil.example:1", "127.evil.example", 1, false),
            ("10.0.0.1:80", "10.0.0.1", 80, false), ("api.example:80", "api.example", 80, false),
            ("127.0.0.1.example:1", "127.0.0.1.example", 1, false),
        ])
    func listen(text: String, host: String, port: Int, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(
        "malformed addresses are refused",
        arguments: [
            "", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
            "::1:80", "[::1]", "[::1:80", "[]:80", "a b:80", "*:80", "host:80x", "[host]:80",
            "http://127.0.0.1:80",
        ])
    func malformedListen(text: String) { #expect(ListenAddress(text) == nil) }
}

import DutySupport
import FreshetModel
import Testing

@testable import Worker

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private let keys = (0..<5).map { Fixtures.key("r?n=\($0)") }

    /// A breaker that three keys opened at time zero.
    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for index in 0..<4 { #expect(breaker.missed(keys[index % 3], at: .zero) == nil) }
        #expect(breaker.missed(keys[0], at: .zero) == CircuitBreaker.firstPause)
        return breaker
    }

    @Test("misses of several keys in a row open it")
    func opens() {
        var breaker = opened()
        #expect(!breaker.isClosed)
        #expect(breaker.admit(at: .seconds(1)) == .wait(.seconds(4)))
    }

    @Test("one key never opens it: its retry policy spaces the attempts")
    func oneKey() {
        var breaker = CircuitBreaker()
        for _ in 0..<100 { #expect(breaker.missed(keys[0], at: .zero) == nil) }
        #expect(breaker.admit(at: .zero) == .run)
    }

    @Test("an answer in between begins the count anew")
    func answers() {
        var breaker = CircuitBreaker()
        for key in keys.prefix(4) { _ = breaker.missed(key, at: .zero) }
        #expect(breaker.reached() == false)
        for key in keys.prefix(4) { #expect(breaker.missed(key, at: .zero) == nil) }
    }

    @Test("after the pause one probe runs, and the others wait for it")
    func probes() {
        var breaker = opened()
        #expect(breaker.admit(at: .seconds(5)) == .run)
        #expect(breaker.admit(at: .seconds(5)) == .wait(CircuitBreaker.probeWait))
        #expect(breaker.reached() == true)
        #expect(breaker.admit(at: .seconds(5)) == .run)
        #expect(breaker.admit(at: .seconds(5)) == .run)
    }

    @Test("a probe that fails doubles the pause up to its limit")
    func doubles() {
        var breaker = opened()
        var now = Duration.seconds(5)
        for expected in [10, 20, 40, 60, 60] {
            #expect(breaker.admit(at: now) == .run)
            #expect(breaker.missed(keys[0], at: now) == .seconds(expected))
            now += .seconds(expected)
        }
    }

    @Test("a probe that tells nothing makes the next attempt the probe")
    func abandoned() {
        var breaker = opened()
        #expect(breaker.admit(at: .seconds(5)) == .run)
        breaker.abandoned(at: .seconds(6))
        #expect(breaker.admit(at: .seconds(6)) == .run)
        #expect(breaker.admit(at: .seconds(6)) == .wait(CircuitBreaker.probeWait))
    }

    @Test("what fails together has one name, without credentials")
    func names() {
        func name(_ source: SourceDefinition?) -> String? {
            Breakers.name(for: Resource(name: Fixtures.name("films"), source: source))
        }
        #expect(
            name(.http(HTTPSource(url: "https://u:p@API.example.org:8443/films?city={city}")))
                == "https://api.example.org:8443")
        #expect(name(.http(HTTPSource(url: "https://{city}.example.org/"))) == nil)
        #expect(
            name(.postgres(PostgresSource(url: "postgres://u:p@db/x", query: "select 1")))
                == "postgres://db")
        #expect(name(.command(CommandSource(argv: ["date"]))) == "resource films")
        #expect(name(nil) == "resource films")
    }

    @Test("breakers of different sources know nothing of each other")
    func apart() {
        let breakers = Breakers()
        for key in keys { _ = breakers.missed("a", key: key, at: .zero) }
        #expect(breakers.admit("a", at: .zero) == .wait(CircuitBreaker.firstPause))
        #expect(breakers.admit("b", at: .zero) == .run)
        #expect(breakers.admit("a", at: .seconds(5)) == .run)
        #expect(breakers.reached("a"))
        #expect(!breakers.reached("a"))
    }
}

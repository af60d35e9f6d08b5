import Testing

@testable import Redis

@Suite("Greeting")
struct GreetingTests {
    private let scripts = RedisScripts([RedisScript(name: "one", source: "return 1")])

    private func greeting(mustBeMaster: Bool = false) -> Greeting {
        Greeting(
            credentials: RedisCredentials(user: "ada", password: "pw"), name: "a b", database: 2,
            mustBeMaster: mustBeMaster, scripts: scripts)
    }

    private func code(_ replies: [RedisValue], mustBeMaster: Bool = false) -> RedisError.Code? {
        var greeting = greeting(mustBeMaster: mustBeMaster)
        for reply in replies {
            if case .failed(let error) = greeting.accept(reply) { return error.code }
        }
        return nil
    }

    @Test("everything is said at once, in order")
    func commands() {
        #expect(
            greeting(mustBeMaster: true).commands == [
                ["AUTH", "ada", "pw"], ["CLIENT", "SETNAME", "a_b"], ["SELECT", 2], ["ROLE"],
                ["PING"], ["SCRIPT", "LOAD", "return 1"],
            ])
    }

    @Test("it is done after the last answer and knows the digests")
    func done() {
        var greeting = greeting()
        let ok = RedisValue.status("OK")
        for _ in 0..<4 { #expect(greeting.accept(ok) == .more) }
        #expect(greeting.accept(.string(Array("abc".utf8))) == .done)
        greeting.rememberDigests()
        #expect(scripts.all[0].digest == Array("abc".utf8))
    }

    @Test("a refusal is named for what it is")
    func refusals() {
        let ok = RedisValue.status("OK")
        #expect(code([.error("WRONGPASS invalid username-password pair")]) == .authentication)
        #expect(
            code([.error("ERR AUTH <password> called without any password")]) == .authentication)
        #expect(code([.error("ERR max number of clients reached")]) == .unreachable)
        #expect(code([.error("DENIED Redis is running in protected mode")]) == .denied)
        #expect(code([ok, ok, .error("ERR DB index is out of range")]) == .invalidDatabase)
        #expect(code([ok, ok, ok, .error("LOADING Redis is loading")]) == .loading)
        #expect(code([ok, ok, ok, .error("NOAUTH Authentication required.")]) == .authentication)
        let replica = RedisValue.array([.string(Array("slave".utf8))])
        #expect(code([ok, ok, ok, replica], mustBeMaster: true) == .unreachable)
    }

    @Test("what the server may get over is no refusal")
    func tolerated() {
        let ok = RedisValue.status("OK")
        let replies: [RedisValue] = [
            ok, .error("NOPERM no SETNAME"), ok, .error("MISCONF cannot save"),
            .error("NOPERM no SCRIPT"),
        ]
        #expect(code(replies) == nil)
        #expect(code([ok, ok, ok, .error("BUSY a script")]) == nil)
    }

    @Test("an error reply says whether something may have happened")
    func effects() {
        #expect(RedisError(reply: "OOM command not allowed").code == .oom)
        #expect(RedisError(reply: "OOM command not allowed").effect == .none)
        let inside = RedisError(reply: "OOM command not allowed script: ab, on @user_script:3.")
        #expect(inside.effect == .unknown)
        #expect(RedisError(reply: "no word at all").code == .server("ERR"))
        #expect(RedisError(reply: "BUSYGROUP exists").code == .server("BUSYGROUP"))
    }
}

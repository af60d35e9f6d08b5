import Configuration
import FreshetModel
import Testing

@Suite("Overrides")
struct OverridesTests {
    private let open = "api: {listen: 0.0.0.0:80}\nredis: {url: \"redis://file\"}"

    @Test("environment beats the file, flags beat both")
    func order() throws {
        let environment = [
            "FRESHET_REDIS_URL": "unix:///env.sock", "FRESHET_LISTEN": "127.0.0.1:1",
        ]
        var overrides = Overrides(environment: environment)
        let settings = try Configuration.parse(
            text: open, file: "F", environment: environment, overrides: overrides)
        #expect(settings.redis.url == "unix:///env.sock")
        #expect(settings.api.listen == "127.0.0.1:1")
        overrides.listen = Overrides.Setting("localhost:2", origin: "--listen")
        let flagged = try Configuration.parse(
            text: open, file: "F", environment: environment, overrides: overrides)
        #expect(flagged.api.listen == "localhost:2")
        #expect(flagged.redis.url == "unix:///env.sock")
        #expect(Overrides(environment: ["FRESHET_LISTEN": ""]) == Overrides())
    }

    @Test("what beats the file is checked like it, and the password in it is not shown")
    func checked() {
        let environment = [
            "FRESHET_REDIS_URL": "redis://:secret@h:x", "FRESHET_LISTEN": "0.0.0.0:1",
        ]
        do {
            _ = try Configuration.parse(
                text: "worker: {}", file: "F", environment: [:],
                overrides: Overrides(environment: environment))
            Issue.record("taken")
        } catch {
            #expect(
                error.lines == [
                    "F:1:1: `FRESHET_REDIS_URL`: a port is a number from 1 to 65535",
                    "F:1:1: `FRESHET_LISTEN`: `0.0.0.0:1` can be reached from beyond this machine, "
                        + "and there are no `api.keys`; `freshet key new` makes one",
                ])
        }
    }

    @Test("settings can be overridden later, and stay as they were when that is wrong")
    func later() throws {
        var settings = Settings()
        try settings.applyEnvironment(["FRESHET_LISTEN": "[::1]:5"])
        #expect(settings.api.listen == "[::1]:5")
        let before = settings
        #expect(throws: ConfigurationErrors.self) {
            try settings.applyEnvironment(["FRESHET_LISTEN": "192.168.1.1:5"])
        }
        #expect(throws: ConfigurationErrors.self) {
            try settings.applyEnvironment([
                "FRESHET_LISTEN": "nowhere", "FRESHET_REDIS_URL": "unix:///x",
            ])
        }
        #expect(settings == before)
    }
}

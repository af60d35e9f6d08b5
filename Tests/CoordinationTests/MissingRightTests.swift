import FreshetModel
import Redis
import Runtime
import TestSupport
import Testing

@testable import Coordination

extension StoreConformance {
    /// What an operator is told whose Redis does not let a user do its work.
    @Suite("missing rights", .enabled(if: StoreKind.available.contains(.redis)))
    struct MissingRights {
        private func failure(
            _ rules: String..., of body: (RedisRefreshStore) async throws(RefreshError) -> Void
        ) async throws -> RefreshError? {
            let server = try #require(PrivateRedis.current)
            let user = "user-\(rules.joined().utf8.map { String($0) }.joined())"
            let loop = EventLoop(name: "rights")
            BackgroundThread.start { loop.run() }
            defer { loop.stop() }
            let admin = RedisClient(loop: loop, url: try RedisURL(parsing: server.url))
            defer { admin.close() }
            let setting: [RedisArgument] =
                ["ACL", "SETUSER", .text(user), "on", ">p", "~*", "&*", "+@all"]
                + rules.map { .text($0) }
            _ = try await admin.send(setting, deadline: .seconds(20))
            let mark = server.url.contains("?") ? "&" : "?"
            var settings = RedisSettings()
            settings.url = "\(server.url)\(mark)user=\(user)&password=p"
            settings.namespace = user
            let store = try RedisRefreshStore(settings: settings, loop: loop, name: "rights")
            defer { store.close() }
            do throws(RefreshError) {
                try await body(store)
                return nil
            } catch {
                #expect(error.message.contains("`\(user)`"), "\(error)")
                return error
            }
        }

        @Test("a script's command that is not granted is named")
        func inScript() async throws {
            let error = try await failure("-hset") { store throws(RefreshError) in
                try await store.setPaused(true)
            }
            #expect(error?.code == .redisDenied)
            #expect(error?.message.contains("run HSET (script pause)") == true, "\(error as Any)")
        }

        @Test("a script that looks after each key for itself is named")
        func inGroup() async throws {
            let key = try makeKey("a")
            let error = try await failure("-zadd") { store throws(RefreshError) in
                _ = try await store.request(RefreshRequest(key: key))
            }
            #expect(error?.code == .redisDenied)
            #expect(error?.message.contains("(script request)") == true, "\(error as Any)")
        }

        @Test("a command that is not granted is named")
        func plain() async throws {
            let name = try makeKey("a").resource
            let error = try await failure("-hget") { store throws(RefreshError) in
                _ = try await store.lastFired(name)
            }
            #expect(error?.code == .redisDenied)
            #expect(error?.message.contains("run HGET") == true, "\(error as Any)")
        }

        @Test("keys of another namespace are said to be")
        func keys() async throws {
            let name = try makeKey("a").resource
            let error = try await failure("resetkeys", "~other*") { store throws(RefreshError) in
                _ = try await store.lastFired(name)
            }
            #expect(error?.code == .redisDenied)
            #expect(error?.message.contains("keys of this namespace") == true, "\(error as Any)")
        }
    }
}

package import Testing

/// Gives a suite a Redis server of its own, which its tests share by key prefixes, or a single test
/// one for itself; found at `PrivateRedis.current`.
package struct PrivateRedisTrait: SuiteTrait, TestTrait, TestScoping {
    let arguments: [String]
    let tcp: Bool

    @concurrent package func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis.start(arguments, tcp: tcp)
        do {
            try await PrivateRedis.$current.withValue(redis) { try await function() }
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }
}

extension Trait where Self == PrivateRedisTrait {
    /// A Redis server with the default options.
    package static var privateRedis: Self { privateRedis() }

    /// A Redis server with further options of `redis-server`, on a TCP port too when asked.
    package static func privateRedis(_ arguments: String..., tcp: Bool = false) -> Self {
        PrivateRedisTrait(arguments: arguments, tcp: tcp)
    }
}

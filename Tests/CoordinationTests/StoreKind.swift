import Glibc
import TestSupport
import Testing

/// The stores that one conformance suite holds to the same rules.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case redis

    /// Redis when the machine has a server to start.
    static let available: [StoreKind] = hasRedisServer ? [.memory, .redis] : [.memory]

    var testDescription: String { rawValue }

    private static var hasRedisServer: Bool {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        return path.split(separator: ":").contains {
            unsafe access("\($0)/redis-server", X_OK) == 0
        }
    }
}

/// Everything a store promises, one suite per duty, one Redis server for all of them; each test
/// owns a namespace and turns its own clock.
@Suite("Stores", .redisWhereAvailable, .timeLimit(.minutes(3)))
struct StoreConformance {}

/// Starts a Redis server around a suite, where the machine has one.
struct RedisWhereAvailable: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard StoreKind.available.contains(.redis) else { return try await function() }
        let redis = try await PrivateRedis.start()
        do {
            try await PrivateRedis.$current.withValue(redis) { try await function() }
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }
}

extension Trait where Self == RedisWhereAvailable {
    static var redisWhereAvailable: Self { RedisWhereAvailable() }
}

internal import Coordination
package import FreshetModel

/// Gives `body` a store of its own, with hooks.
///
/// - Parameter clock: Replaces the store's clock.
package func withStore(
    partitions: Int = 1, clock: (@Sendable () -> Timestamp)? = nil,
    _ body: (HookedStore) async throws -> Void
) async throws {
    if let clock {
        try await body(HookedStore(MemoryRefreshStore(partitions: partitions, clock: clock)))
    } else {
        try await body(HookedStore(MemoryRefreshStore(partitions: partitions)))
    }
}

import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    /// A store that knows less than those who ask it: its data are gone, or are those of yesterday.
    @Suite("after a loss of data")
    struct Loss {
        @Test(
            "versions go on above what an asker holds, however it joins",
            arguments: StoreKind.available)
        func seen(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                // A new job.
                try await scene.ask("a") { $0.seenVersion = 7 }
                #expect(try await scene.status("a").version == 0)
                #expect(try await scene.publish(scene.claim()) == .published(version: 8))
                // Who holds what is known, or less, changes nothing.
                try await scene.ask("a") { $0.seenVersion = 8 }
                #expect(try await scene.publish(scene.claim()) == .published(version: 9))
                // A waiting, a running and a delayed job; the highest counts.
                try await scene.ask("b")
                try await scene.ask("b") { $0.seenVersion = 5 }
                let claim = try await scene.claim()
                try await scene.ask("b") { $0.seenVersion = 20 }
                try await scene.ask("b") { $0.seenVersion = 4 }
                #expect(try await scene.publish(claim) == .published(version: 21))
                try await scene.ask("c") { $0.delay = .seconds(5) }
                _ = try await scene.outcome("c") {
                    $0.origin = .read
                    $0.seenVersion = 3
                }
                scene.advance(.seconds(6))
                #expect(try await scene.publish(scene.claim()) == .published(version: 4))
            }
        }

        @Test(
            "what an asker holds is remembered over failures and cancellations, not over refusals",
            arguments: StoreKind.available)
        func remembered(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let receipt = try await scene.ask("a") { $0.seenVersion = 7 }
                _ = try await scene.cancel(receipt.job.id)
                try await scene.ask("a")
                try await scene.fail(scene.claim(), retryAfter: nil)
                try await scene.ask("a")
                #expect(try await scene.publish(scene.claim()) == .published(version: 8))
                let refused = try await scene.outcome("b") {
                    $0.seenVersion = 7
                    $0.maximumQueue = 0
                }
                #expect(refused == .queueFull(waiting: 0))
                try await scene.ask("b")
                #expect(try await scene.publish(scene.claim()) == .published(version: 1))
            }
        }
    }
}

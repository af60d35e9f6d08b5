import Glibc
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("randomised", .enabled(if: StoreKind.available.contains(.redis)))
    struct Randomised {
        @Test("both stores tell the same after every step", arguments: 1...6)
        func fixedSeeds(_ seed: UInt64) async throws {
            try await compare(seed: seed, steps: 250)
        }

        @Test("and after steps nobody has seen before")
        func freshSeed() async throws {
            for _ in 0..<rounds {
                try await compare(seed: .random(in: 0...99_999_999), steps: 400)
            }
        }

        /// `FRESHET_TEST_ROUNDS` makes a longer search of it.
        private var rounds: Int {
            unsafe getenv("FRESHET_TEST_ROUNDS").flatMap { unsafe Int(String(cString: $0)) } ?? 1
        }

        private func compare(seed: UInt64, steps count: Int) async throws {
            var random = SeededGenerator(seed: seed)
            let steps = (0..<count).map { _ in Step.random(&random) }
            guard let found = try await TwoStores.difference(steps) else { return }
            let short = try await TwoStores.shrunk(Array(steps.prefix(found.step + 1)))
            let text = try await TwoStores.difference(short)?.text ?? found.text
            let trace = short.map { "  \($0)" }.joined(separator: "\n")
            Issue.record("seed \(seed): \(text)\nafter\n\(trace)")
        }
    }
}

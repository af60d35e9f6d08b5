import FreshetModel
import Runtime
import TestSupport

// Measures the queue on a private Redis, each figure beside what Redis itself can do with the same
// scripts in the same run. Prints one table and ends. See Benchmarks/README.md.

Log.configure(level: .error, format: .text)
let bench = try await QueueBench.start()
do {
    try await bench.run(only: Set(CommandLine.arguments.dropFirst()))
} catch {
    print("failed: \(error)")
}
await bench.stop()

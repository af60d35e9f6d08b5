import Coordination
import FoundationEssentials
import FreshetModel
import Runtime
import TestSupport

extension QueueBench {
    static func key(_ resource: String, _ number: Int) -> Key {
        guard let key = Key("\(resource)?n=\(number)") else { preconditionFailure("no key") }
        return key
    }

    static func seconds(since began: UInt64) -> Double {
        Double(EventLoop.monotonicNanoseconds() - began) / 1e9
    }

    /// Calls per second of `callers` tasks on the loop, each calling again when it is answered.
    func manyCallers(
        _ callers: Int, total: Int,
        _ body: @escaping @Sendable (RedisRefreshStore, Int) async throws -> Void
    ) async throws -> Double {
        let began = EventLoop.monotonicNanoseconds()
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                group.addTask(executorPreference: loop) {
                    for number in stride(from: caller, to: total, by: callers) {
                        try await body(store, number)
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(total) / Self.seconds(since: began)
    }

    /// A line with the rate, what Redis itself spent, and the share of its ceiling that is reached.
    func row(_ label: String, _ rate: Double, script: String, per operations: Int) async throws {
        let spent = try await info("commandstats", "cmdstat_evalsha", field: "usec")
        let calls = try await info("commandstats", "cmdstat_evalsha", field: "calls")
        let each = Double(spent) / Double(operations)
        let ceiling = 1_000_000 / each
        print(
            "| \(label) | \(Int(rate))/s | \(Self.short(each)) us, at most \(Int(ceiling))/s | "
                + "\(Self.short(rate / ceiling)) of what Redis can do with \(script), "
                + "\(Self.short(Double(operations) / Double(calls))) a call |")
    }

    /// CPU seconds so far of Redis and of this process.
    func processorTime() async throws -> (redis: Double, own: Double) {
        let redis =
            try await decimal("cpu", "used_cpu_user_main_thread")
            + decimal("cpu", "used_cpu_sys_main_thread")
        // utime and stime, in ticks of 10 ms (proc(5)), after the name, which may hold anything.
        let line = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13])
        else { return (redis, 0) }
        return (redis, (user + system) / 100)
    }

    private func decimal(_ section: String, _ name: String) async throws -> Double {
        let text = try await redis.cli("INFO", section)
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(name + ":") {
            return Double(line.dropFirst(name.count + 1)) ?? 0
        }
        return 0
    }

    /// A number of INFO: `name:value`, or with `field`, `name:…,field=value,…`.
    func info(_ section: String, _ name: String, field: String? = nil) async throws -> Int {
        let text = try await redis.cli("INFO", section)
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(name + ":") {
            let value = line.dropFirst(name.count + 1)
            guard let field else { return Int(value) ?? 0 }
            for piece in value.split(separator: ",") where piece.hasPrefix(field + "=") {
                return Int(piece.dropFirst(field.count + 1)) ?? 0
            }
        }
        return 0
    }

    static func percentiles(_ values: [Double]) -> String {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return "none" }
        let p50 = sorted[sorted.count / 2]
        let p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        return "p50 \(short(p50)), p99 \(short(p99))"
    }

    static func short(_ value: Double) -> String {
        let scaled = (value * 100).rounded() / 100
        return "\(scaled)"
    }
}

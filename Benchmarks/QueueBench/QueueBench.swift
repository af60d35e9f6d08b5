import Coordination
import FreshetModel
import Redis
import RefreshSources
import Runtime
import TestSupport
import Worker

/// One private Redis, one loop, one store, and the measurements on them.
struct QueueBench {
    let redis: PrivateRedis
    let loop: EventLoop
    let store: RedisRefreshStore
    let url: String

    static func start() async throws -> QueueBench {
        let redis = try await PrivateRedis.start(["--save", ""])
        let loop = EventLoop(name: "bench")
        BackgroundThread.start { loop.run() }
        var settings = RedisSettings()
        settings.url = redis.url
        settings.namespace = "bench"
        let store = try RedisRefreshStore(settings: settings, loop: loop, name: "bench")
        return QueueBench(redis: redis, loop: loop, store: store, url: redis.url)
    }

    func stop() async {
        store.close()
        await redis.stop()
        loop.stop()
    }

    /// Runs the named measurements, all when none is named.
    func run(only names: Set<String>) async throws {
        let all: [(String, () async throws -> Void)] = [
            ("requests", requests), ("joins", joins), ("bulk", bulk), ("jobs", jobs),
            ("latency", latency), ("position", position), ("monitor", monitor),
        ]
        print("| measurement | figure | in Redis | notes |\n|---|---|---|---|")
        for (name, body) in all where names.isEmpty || names.contains(name) {
            _ = try await redis.cli("FLUSHALL")
            _ = try await redis.cli("CONFIG", "RESETSTAT")
            try await body()
        }
    }

    // MARK: asking

    private func requests() async throws {
        let rate = try await manyCallers(64, total: 200_000) { store, number in
            _ = try await store.request(RefreshRequest(key: Self.key("r", number)))
        }
        try await row("new requests, 64 callers", rate, script: "request", per: 200_000)
        let memory = try await info("memory", "used_memory")
        _ = try await redis.cli("FLUSHALL")
        let empty = try await info("memory", "used_memory")
        print("| Redis memory per waiting key | \((memory - empty) / 200_000) bytes | | |")
    }

    private func joins() async throws {
        let key = Self.key("j", 1)
        _ = try await store.request(RefreshRequest(key: key))
        _ = try await redis.cli("CONFIG", "RESETSTAT")
        let rate = try await manyCallers(64, total: 200_000) { store, _ in
            _ = try await store.request(RefreshRequest(key: key))
        }
        try await row("joined requests, 64 callers", rate, script: "request", per: 200_000)
    }

    private func bulk() async throws {
        let total = 200_000
        let began = EventLoop.monotonicNanoseconds()
        await withTaskGroup { group in
            for part in 0..<20 {
                group.addTask(executorPreference: loop) {
                    let requests = (0..<10_000).map {
                        RefreshRequest(key: Self.key("b", part * 10_000 + $0))
                    }
                    _ = try? await store.requestMany(requests)
                }
            }
        }
        let rate = Double(total) / Self.seconds(since: began)
        try await row("requests in bulk of 10,000", rate, script: "request", per: total)
    }

    // MARK: working

    private func jobs() async throws {
        let total = 100_000
        for concurrency in [16, 64] {
            _ = try await redis.cli("FLUSHALL")
            for part in 0..<(total / 10_000) {
                _ = try await store.requestMany(
                    (0..<10_000).map { RefreshRequest(key: Self.key("job", part * 10_000 + $0)) })
            }
            _ = try await redis.cli("CONFIG", "RESETSTAT")
            var settings = Settings()
            settings.redis.url = url
            settings.worker.concurrency = concurrency
            guard let name = ResourceName("job") else { return }
            var resource = Resource(name: name)
            resource.maximumVariants = 1_000_000
            settings.resources[name] = resource
            let payload = Payload(bytes: Array("[]".utf8), contentType: "application/json")
            let worker = try WorkerService(
                settings: settings, store: store, version: "bench", loop: loop
            ) { _ in
                ClosureSource { _ in .payload(payload) }
            }
            let before = try await processorTime()
            let began = EventLoop.monotonicNanoseconds()
            let took = await withTaskGroup(of: Double?.self) { group in
                group.addTask {
                    try? await worker.run()
                    return nil
                }
                group.addTask {
                    while true {
                        let waiting = (try? await store.queue()).map { $0.waiting + $0.running }
                        if waiting == 0 { return Self.seconds(since: began) }
                        await loop.sleep(for: .milliseconds(20))
                    }
                }
                var result = 0.0
                for await seconds in group {
                    guard let seconds else { continue }
                    result = seconds
                    group.cancelAll()
                }
                return result
            }
            try await row(
                "no-op jobs, one worker, \(concurrency) at once", Double(total) / took,
                script: "claim + publish", per: total)
            let scripts = Double(try await info("commandstats", "cmdstat_evalsha", field: "usec"))
            let after = try await processorTime()
            let inRedis = (after.redis - before.redis) * 1e6
            let each = [scripts, inRedis - scripts, (after.own - before.own) * 1e6]
                .map { Self.short($0 / Double(total)) }
            print(
                "| its CPU a job | \(each[2]) us in the worker | \(each[0]) us in scripts | "
                    + "\(each[1]) us of Redis for the wire |")
        }
    }

    private func latency() async throws {
        var claimed: [Double] = []
        for number in 0..<2000 {
            let began = EventLoop.monotonicNanoseconds()
            async let wake: Void = store.waitForWork(timeout: .seconds(2))
            _ = try await store.request(RefreshRequest(key: Self.key("l", number)))
            try await wake
            let batch = try await store.claim(ClaimRequest(worker: "w"))
            if !batch.claims.isEmpty { claimed.append(Self.seconds(since: began) * 1000) }
        }
        print("| request to claimed, idle | \(Self.percentiles(claimed)) ms | | goal p50 0.5 |")
    }

    // MARK: seeing

    private func position() async throws {
        var medians: [Double] = []
        for waiting in [1000, 1_000_000] {
            _ = try await redis.cli("FLUSHALL")
            for start in stride(from: 0, to: waiting, by: 10_000) {
                _ = try await store.requestMany(
                    (start..<min(start + 10_000, waiting)).map {
                        RefreshRequest(key: Self.key("p", $0))
                    })
            }
            var times: [Double] = []
            for number in 0..<2000 {
                let key = Self.key("p", number * 7919 % waiting)
                let began = EventLoop.monotonicNanoseconds()
                let status = try await store.statuses([key])[0]
                times.append(Self.seconds(since: began) * 1000)
                precondition(status.job?.position != nil)
            }
            medians.append(times.sorted()[times.count / 2])
            print("| position among \(waiting) waiting | \(Self.percentiles(times)) ms | | |")
        }
        let ratio = medians[1] / medians[0]
        print("| position, 1,000,000 against 1,000 | \(Self.short(ratio))x | | goal 1.5x |")
    }

    private func monitor() async throws {
        // A million records of stale-to-be keys, written as a publication leaves them.
        let script = """
            for i = 1, 10000 do
              local key = 'm' .. (ARGV[1] * 10000 + i)
              local due = i <= 1 and 1 or 99999999999999
              redis.call('HSET', '{bench:0}:k:' .. key, 'v', 1, 'at', 1, 'fu', due)
              redis.call('ZADD', '{bench:0}:due', due, key)
            end
            """
        for part in 0..<100 { _ = try await redis.cli("EVAL", script, "0", String(part)) }
        _ = try await redis.cli("CONFIG", "RESETSTAT")
        let stale = try await store.staleKeys(
            limit: 100, activeWindow: .zero, coolDown: .seconds(60))
        let time = try await info("commandstats", "cmdstat_evalsha", field: "usec")
        print(
            "| staleness tick, 1,000,000 keys, \(stale.looked) due | "
                + "\(Self.short(Double(time) / 1000)) ms of Redis | | goal 5 |")
    }
}

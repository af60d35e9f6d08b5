import FoundationEssentials
import Glibc
import Synchronization
import TestSupport

/// Processes of every role over one Redis, each its own child of the test, so that a test may kill,
/// stop and start again any of them by itself.
final class Fleet: Sendable {
    enum Member: Hashable {
        case api(Int)
        case worker(Int)
    }

    let redis: PrivateRedis
    let source: CountedSource
    /// Of the API processes, by their number.
    let ports: [Int]
    private let configuration: String
    private let members = Mutex<[Member: ChildProcess]>([:])

    private let link: SlowLink?

    private init(
        redis: PrivateRedis, link: SlowLink?, source: CountedSource, ports: [Int],
        _ resources: String
    ) {
        self.redis = redis
        self.link = link
        let url = link.map { "redis://127.0.0.1:\($0.port)" } ?? redis.url
        self.source = source
        self.ports = ports
        configuration = """
            redis: {url: "\(url)"}
            refresh: {check_interval: 1s}
            worker: {concurrency: 4}
            defaults: {lease: 1s, wait_timeout: 10s, retry: {max: 10, interval: 200ms, backoff: 1}}
            resources:
            \(resources)
            """
    }

    /// Runs `body` with a fleet of its own, ends it, and shows the logs of what fails.
    ///
    /// - Parameters:
    ///   - delay: On the way to Redis, one way; of pieces of 8 KB.
    ///   - resources: The section of that name, indented by two, made from the source.
    static func run(
        apis: Int = 1, workers: Int = 1, redis arguments: [String] = [],
        delay: Duration? = nil,
        resources: (CountedSource) -> String, _ body: (Fleet) async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis.start(arguments)
        do {
            let source = try CountedSource(directory: redis.directory)
            let fleet = Fleet(
                redis: redis,
                link: try delay.map {
                    try SlowLink(to: redis.socketPath, delay: $0, piece: 8192)
                }, source: source, ports: try LoopbackPort.free(count: apis),
                resources(source))
            do {
                try RunningStack.write(fleet.configuration, to: fleet.configurationPath)
                for number in 0..<workers { try await fleet.start(.worker(number)) }
                for number in 0..<apis { try await fleet.start(.api(number)) }
                try await fleet.waitUntilReady()
                try await body(fleet)
            } catch {
                let logs = fleet.logs
                await fleet.stop()
                throw Unexpected("\(error)\n\(logs)")
            }
            await fleet.stop()
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }

    private var configurationPath: String { redis.directory + "/freshet.yaml" }

    var clients: [HTTPClient] { ports.map(HTTPClient.init(port:)) }

    /// The process that stands for a member now.
    func process(_ member: Member) throws -> ChildProcess {
        guard let process = members.withLock({ $0[member] }) else {
            throw Unexpected("\(member) was never started")
        }
        return process
    }

    /// Starts a member, in the place of one that has ended.
    func start(_ member: Member) async throws {
        let role =
            switch member {
            case .api(let number): ["api", "--listen", "127.0.0.1:\(ports[number])"]
            case .worker: ["worker"]
            }
        let started = try await ChildProcess.start(
            RunningStack.command(role + ["--config", configurationPath]))
        members.withLock { $0[member] = started }
    }

    /// Kills a member as a machine that loses its power would, and waits until it is gone.
    func kill(_ member: Member) async throws {
        let process = try process(member)
        process.send(signal: SIGKILL)
        _ = try await process.waitForExit()
    }

    /// Waits until every API process serves and sees as many workers as live.
    func waitUntilReady(deadline: Duration = .seconds(20)) async throws {
        let workers = members.withLock { members in
            members.count { if case .worker = $0.key { $0.value.exit == nil } else { false } }
        }
        for client in clients {
            try await eventually("ready, with \(workers) workers", deadline: deadline) {
                guard let answer = try? await client.get("/ready", deadline: .seconds(2)) else {
                    return false
                }
                return answer.status == 200
                    && answer.text.contains("\"workers_alive\":\(workers)")
            }
        }
    }

    private var logs: String {
        members.withLock { members in
            members.map {
                "\($0.key):\n" + $0.value.lines(.error).suffix(25).joined(separator: "\n")
            }
            .joined(separator: "\n")
        }
    }

    private func stop() async {
        let all = members.withLock { Array($0.values) }
        // What is frozen hears no SIGTERM.
        for process in all { process.send(signal: SIGCONT) }
        for process in all { process.send(signal: SIGTERM) }
        source.releaseAll()
        for process in all { await process.stop(grace: .seconds(10)) }
        link?.stop()
    }
}

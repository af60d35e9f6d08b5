import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

/// Every process of a stack is ended and started again in turn, while clients read and ask: the
/// upgrade that docs/operating.md describes.
@Suite("A rolling restart", .serialized, .timeLimit(.minutes(3)))
struct RollingRestartTests {
    /// Half of the jobs are longer than a worker has at its end: those are handed back.
    private static let configuration = """
        worker: {concurrency: 4, drain_timeout: 300ms}
        defaults: {lease: 5s, wait_timeout: 20s, fresh_for: never, retry: {max: 0}}
        resources:
          quick:
            params: {n: {pattern: "[0-9]{1,3}"}}
            source: {command: {argv: [/bin/sh, -c, "sleep 0.1; echo '[1]'"]}}
          long:
            params: {n: {pattern: "[0-9]{1,3}"}}
            source: {command: {argv: [/bin/sh, -c, "sleep 0.8; echo '[2]'"]}}
          held:
            source: {command: {argv: [/bin/sh, -c, "echo '[3]'"]}}
        """

    /// What clients saw.
    private struct Seen {
        var reads = 0
        var jobs: Set<String> = []
        var failures: [String] = []
        var isOver = false
    }

    /// The processes of a stack without a supervisor, as an operator's own one would start them.
    private final class Fleet: Sendable {
        static let roles = ["api", "api", "worker", "worker", "scheduler"]
        private let words: [String]
        private let listen: [String]
        private let members = Mutex<[Int: ChildProcess]>([:])

        init(configuration: String, redis: String, port: Int) {
            words = ["--config", configuration, "--redis", redis]
            listen = ["--listen", "127.0.0.1:\(port)"]
        }

        func start(_ index: Int) async throws {
            let role = Self.roles[index]
            let process = try await ChildProcess.start(
                RunningStack.command([role] + words + (role == "api" ? listen : [])))
            members.withLock { $0[index] = process }
            try await process.waitForLine(
                .error, containing: "\(role).started", deadline: .seconds(20))
        }

        /// SIGTERM, the end it comes to by itself, and a successor.
        func replace(_ index: Int) async throws {
            guard let process = members.withLock({ $0[index] }) else { return }
            process.send(signal: SIGTERM)
            let exit = try await process.waitForExit(deadline: .seconds(20))
            #expect(exit == .code(0), "\(Self.roles[index])")
            try await start(index)
        }

        func stop() async {
            for process in members.withLock({ $0.values.map { $0 } }) { await process.stop() }
        }
    }

    private static func withFleet(
        _ body: (Fleet, HTTPClient) async throws -> Void
    ) async throws {
        let redis = try await PrivateRedis.start()
        let file = redis.directory + "/freshet.yaml"
        try RunningStack.write(configuration, to: file)
        let port = try LoopbackPort.free()
        let fleet = Fleet(configuration: file, redis: redis.url, port: port)
        var failure: (any Error)?
        do {
            for index in Fleet.roles.indices { try await fleet.start(index) }
            try await body(fleet, HTTPClient(port: port))
        } catch {
            failure = error
        }
        await fleet.stop()
        await redis.stop()
        if let failure { throw failure }
    }

    /// Reads one key without a pause until all is over.
    private static func read(_ client: HTTPClient, _ seen: borrowing Mutex<Seen>) async {
        while !seen.withLock({ $0.isOver }) {
            do {
                let response = try await client.get("/v1/resources/held", deadline: .seconds(5))
                seen.withLock { seen in
                    seen.reads += 1
                    if response.status != 200 { seen.failures.append("read: \(response.text)") }
                }
            } catch {
                seen.withLock { $0.failures.append("read: \(error)") }
            }
        }
    }

    /// Asks for refreshes of keys of its own until all is over.
    private static func ask(
        _ client: HTTPClient, _ resource: String, every pause: Duration,
        _ seen: borrowing Mutex<Seen>
    ) async throws {
        var number = 0
        while !seen.withLock({ $0.isOver }) {
            number = (number + 1) % 200
            do {
                let response = try await client.post(
                    "/v1/resources/\(resource)/refresh?n=\(number)", deadline: .seconds(5))
                let job = response.text.split(separator: "\"job_id\":\"").dropFirst().first?
                    .split(separator: "\"").first.map { String($0) }
                seen.withLock { seen in
                    if response.status == 202, let job {
                        seen.jobs.insert(job)
                    } else {
                        seen.failures.append("refresh: \(response.text)")
                    }
                }
            } catch {
                seen.withLock { $0.failures.append("refresh: \(error)") }
            }
            try await Task.sleep(for: pause)
        }
    }

    @Test("of every process under load fails no request and loses no job")
    func rolling() async throws {
        try await Self.withFleet { fleet, client in
            #expect(try await client.get("/v1/resources/held").status == 200)
            let seen = SharedSeen()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { await Self.read(client, seen.value) } }
                group.addTask {
                    try await Self.ask(client, "quick", every: .milliseconds(20), seen.value)
                }
                group.addTask {
                    try await Self.ask(client, "long", every: .milliseconds(150), seen.value)
                }
                defer { seen.value.withLock { $0.isOver = true } }
                for _ in 0..<2 {
                    for index in Fleet.roles.indices { try await fleet.replace(index) }
                }
                seen.value.withLock { $0.isOver = true }
                try await group.waitForAll()
            }
            let (reads, jobs, failures) = seen.value.withLock { ($0.reads, $0.jobs, $0.failures) }
            #expect(failures.isEmpty, "\(failures.count) of \(reads): \(failures.prefix(5))")
            #expect(reads > 200)
            #expect(jobs.count > 20)

            try await eventually("the queue is empty", deadline: .seconds(40)) {
                let queue = try await client.get("/v1/queue").text
                return queue.hasPrefix("{\"waiting\":0,\"running\":0,\"delayed\":0,\"dead\":0,")
            }
            for job in jobs {
                let path = job.replacing("?", with: "%3F")
                let end = try await client.get("/v1/jobs/\(path)").text
                #expect(end.contains("\"state\":\"succeeded\""), "\(end)")
                // Handed back by a worker that ended: that costs no attempt.
                #expect(end.contains("\"attempt\":1,"), "\(end)")
            }
        }
    }

    private final class SharedSeen: Sendable {
        let value = Mutex(Seen())
    }
}

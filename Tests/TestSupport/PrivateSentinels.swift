internal import FoundationEssentials

/// A master, a replica and three sentinels on 127.0.0.1, which agree on each other when it is started.
package final class PrivateSentinels: Sendable {
    package let master: PrivateRedis
    package let replica: PrivateRedis
    package let ports: [Int]
    private let sentinels: [ChildProcess]
    private let directory: String

    /// The master's name.
    package static let name = "mymaster"

    package var url: String {
        "redis+sentinel://"
            + ports.map { "127.0.0.1:\($0)" }.joined(separator: ",") + "/\(Self.name)"
    }

    private init(
        master: PrivateRedis, replica: PrivateRedis, ports: [Int], sentinels: [ChildProcess],
        directory: String
    ) {
        self.master = master
        self.replica = replica
        self.ports = ports
        self.sentinels = sentinels
        self.directory = directory
    }

    package static func start() async throws -> PrivateSentinels {
        let free = try LoopbackPort.free(count: 5)
        let quick = ["--repl-diskless-sync-delay", "0"]
        let master = try await PrivateRedis.start(quick, port: free[0])
        let replica = try await PrivateRedis.start(
            quick + ["--replicaof", "127.0.0.1", String(free[0])], port: free[1])
        let directory = try TemporaryDirectory.create()
        let ports = Array(free[2...])
        var sentinels: [ChildProcess] = []
        for port in ports {
            let file = "\(directory)/\(port).conf"
            try Data(configuration(port: port, master: free[0], directory).utf8)
                .write(to: URL(filePath: file))
            sentinels.append(try await ChildProcess.start(["redis-server", file, "--sentinel"]))
        }
        let group = PrivateSentinels(
            master: master, replica: replica, ports: ports, sentinels: sentinels,
            directory: directory)
        do {
            try await group.waitUntilComplete()
        } catch {
            await group.stop()
            throw error
        }
        return group
    }

    private static func configuration(port: Int, master: Int, _ directory: String) -> String {
        """
        port \(port)
        bind 127.0.0.1
        dir \(directory)
        sentinel monitor \(name) 127.0.0.1 \(master) 2
        sentinel down-after-milliseconds \(name) 500
        sentinel failover-timeout \(name) 3000

        """
    }

    /// Until each sentinel knows the replica and the other two, without which no failover happens.
    private func waitUntilComplete() async throws {
        for sentinel in sentinels { try await sentinel.waitForLine(containing: "+monitor") }
        for port in ports {
            try await eventually("sentinel \(port) knows all", deadline: .seconds(20)) {
                let result = try await ChildProcess.run(
                    ["redis-cli", "-p", String(port), "SENTINEL", "MASTER", Self.name])
                func field(_ name: String) -> String? {
                    guard let index = result.output.firstIndex(of: name) else { return nil }
                    return result.output.dropFirst(index + 1).first
                }
                return field("num-slaves") == "1" && field("num-other-sentinels") == "2"
            }
        }
        try await eventually("the replica is in step") {
            try await replica.cli("INFO", "replication").contains("master_link_status:up")
        }
    }

    package func stop() async {
        for sentinel in sentinels { await sentinel.stop() }
        await replica.stop()
        await master.stop()
        TemporaryDirectory.remove(directory)
    }
}

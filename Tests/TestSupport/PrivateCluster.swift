/// Three masters of a Redis Cluster and a replica of the first, on 127.0.0.1.
package final class PrivateCluster: Sendable {
    package let masters: [PrivateRedis]
    /// Of `masters[0]`.
    package let replica: PrivateRedis

    package var url: String {
        "redis+cluster://" + masters.map { "127.0.0.1:\($0.port ?? 0)" }.joined(separator: ",")
    }

    /// The slots that each master begins with.
    package static let ranges = [(0, 5460), (5461, 10_922), (10_923, 16_383)]

    private init(masters: [PrivateRedis], replica: PrivateRedis) {
        self.masters = masters
        self.replica = replica
    }

    package static func start() async throws -> PrivateCluster {
        // The bus has a port of its own: the usual one, 10,000 above, may not exist.
        let ports = try LoopbackPort.free(count: 8)
        var nodes: [PrivateRedis] = []
        do {
            for index in 0..<4 {
                nodes.append(
                    try await PrivateRedis.start(
                        [
                            "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                            "--cluster-port", String(ports[4 + index]),
                            "--repl-diskless-sync-delay", "0",
                        ], port: ports[index]))
            }
            let cluster = PrivateCluster(masters: Array(nodes[..<3]), replica: nodes[3])
            try await cluster.join(busPorts: Array(ports[4...]))
            return cluster
        } catch {
            for node in nodes { await node.stop() }
            throw error
        }
    }

    /// The number of a node, as the cluster's commands want it.
    package func id(of node: PrivateRedis) async throws -> String {
        try await node.cli("CLUSTER", "MYID")
    }

    private func join(busPorts: [Int]) async throws {
        for (node, range) in zip(masters, Self.ranges) {
            try await node.cli("CLUSTER", "ADDSLOTSRANGE", "\(range.0)", "\(range.1)")
        }
        let nodes = masters + [replica]
        for (node, bus) in zip(nodes, busPorts).dropFirst() {
            try await masters[0].cli(
                "CLUSTER", "MEET", "127.0.0.1", "\(node.port ?? 0)", "\(bus)")
        }
        for node in nodes {
            try await eventually("all know each other", deadline: .seconds(20)) {
                let state = try await node.cli("CLUSTER", "INFO")
                return state.contains("cluster_state:ok")
                    && state.contains("cluster_known_nodes:4")
            }
        }
        let first = try await id(of: masters[0])
        try await replica.cli("CLUSTER", "REPLICATE", first)
        try await eventually("the replica is in step", deadline: .seconds(20)) {
            try await replica.cli("INFO", "replication").contains("master_link_status:up")
        }
        try await eventually("all know the replica", deadline: .seconds(20)) {
            for node in masters {
                guard try await node.cli("CLUSTER", "NODES").contains("slave \(first)") else {
                    return false
                }
            }
            return true
        }
    }

    package func stop() async {
        for node in masters { await node.stop() }
        await replica.stop()
    }
}

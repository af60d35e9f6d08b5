import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// docs/examples/resources.md, the variant for production: Sentinel, a replica, TLS and keys.
@Suite("The example resources.production", .timeLimit(.minutes(2)))
struct ExampleProductionTests {
    /// A master with a replica behind one Sentinel, all with a password, as the file wants them.
    private struct Machines {
        let master: PrivateRedis
        let replica: PrivateRedis
        let sentinel: ChildProcess
        let port: Int

        static func start(in directory: String) async throws -> Machines {
            let ports = try LoopbackPort.free(count: 3)
            let secret = ["--requirepass", "secret", "--masterauth", "secret"]
            let quick = ["--repl-diskless-sync-delay", "0", "--appendonly", "yes"]
            let master = try await PrivateRedis.start(secret + quick, port: ports[0])
            let replica = try await PrivateRedis.start(
                secret + quick + ["--replicaof", "127.0.0.1", String(ports[0])], port: ports[1])
            let file = "\(directory)/sentinel.conf"
            try RunningStack.write(
                """
                port \(ports[2])
                bind 127.0.0.1
                dir \(directory)
                sentinel monitor freshet 127.0.0.1 \(ports[0]) 1
                sentinel auth-pass freshet secret

                """, to: file)
            let sentinel = try await ChildProcess.start(["redis-server", file, "--sentinel"])
            try await sentinel.waitForLine(containing: "+monitor")
            try await eventually("the replica is in step", deadline: .seconds(20)) {
                try await replica.cli("--no-auth-warning", "-a", "secret", "INFO", "replication")
                    .contains("master_link_status:up")
            }
            return Machines(master: master, replica: replica, sentinel: sentinel, port: ports[2])
        }

        func stop() async {
            await sentinel.stop()
            await replica.stop()
            await master.stop()
        }
    }

    @Test("runs behind TLS and keys; a 202 means that a replica has the job")
    func production() async throws {
        let directory = try TemporaryDirectory.create()
        defer { TemporaryDirectory.remove(directory) }
        let office = try await Upstream.start(pace: 0.05)
        let machines = try await Machines.start(in: directory)
        try await Example.shell(
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
                -keyout \(directory)/key.pem -out \(directory)/cert.pem 2>/dev/null
            """)
        let web = try await Self.key("web")
        let admin = try await Self.key("operator")
        let environment = [
            "BACKEND_URL": office.url, "REDIS_PASSWORD": "secret",
            "REDIS_SENTINELS": "127.0.0.1:\(machines.port)", "WEB_KEY_SHA256": web.hash,
            "OPERATOR_KEY_SHA256": admin.hash, "TLS_CERTIFICATE": "\(directory)/cert.pem",
            "TLS_KEY": "\(directory)/key.pem",
        ]
        let port = try LoopbackPort.free()
        var started: [ChildProcess] = []
        do {
            for role in ["api", "worker", "scheduler"] {
                var words = [role, "--config", Example.file("resources.production")]
                if role == "api" { words += ["--listen", "127.0.0.1:\(port)"] }
                started.append(
                    try await ChildProcess.start(
                        RunningStack.command(words), environment: environment))
            }
            let curl = "curl -s --cacert \(directory)/cert.pem"
            let url = "https://127.0.0.1:\(port)"
            try await eventually("it is ready", deadline: .seconds(20)) {
                try await Example.shell("\(curl) \(url)/ready || true").joined()
                    .contains("\"workers_alive\":1")
            }
            let open = try await Example.shell("\(curl) -w '%{http_code}' \(url)/api/process")
            #expect(open.joined().hasSuffix("401"))
            let read = try await Example.shell(
                "\(curl) -H 'X-API-Key: \(web.secret)' '\(url)/api/process?office=3&page=2'")
            let page = try JSON(parsing: read.joined().utf8)
            #expect(page["items"][0]["asked"].string == "office=3&page=2")
            let asked = try await Example.shell(
                "\(curl) -X POST -H 'X-API-Key: \(web.secret)' \(url)/v1/resources/office/refresh")
            #expect(try JSON(parsing: asked.joined().utf8)["durability"].string == "replicated")
            let refused = try await Example.shell(
                "\(curl) -X POST -w '%{http_code}' -H 'X-API-Key: \(web.secret)' \(url)/v1/queue/pause"
            )
            #expect(refused.joined().hasSuffix("403"))

            // The replica is gone: the job is queued, but nobody is told that it is safe.
            await machines.replica.stop()
            let unsafe = try await Example.shell(
                "\(curl) -X POST -H 'X-API-Key: \(admin.secret)' \(url)/v1/resources/rule/refresh")
            let answer = try JSON(parsing: unsafe.joined().utf8)
            #expect(answer["status"].int == 503 && answer["code"].string == "not_durable")
        } catch {
            let log = started.flatMap { $0.lines(.error).suffix(15) }.joined(separator: "\n")
            for process in started { await process.stop() }
            await machines.stop()
            throw Unexpected("\(error)\n\(log)")
        }
        for process in started { await process.stop() }
        await machines.stop()
        await office.stop()
    }

    private static func key(_ name: String) async throws -> (secret: String, hash: String) {
        let lines = try await Example.shell("freshet key new \(name)")
        let secret = lines.first { $0.hasPrefix("  \(name).") }?.filter { $0 != " " }
        let hash = lines.joined().split(separator: "\"").map { String($0) }
            .first { $0.utf8.count == 64 }
        guard let secret, let hash else { throw Unexpected("no key in \(lines)") }
        return (secret, hash)
    }
}

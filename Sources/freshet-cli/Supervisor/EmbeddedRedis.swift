internal import FoundationEssentials
internal import Runtime

/// The `redis-server` that `freshet up` runs for itself: on a unix socket only, with an append-only
/// file, all of it in one directory.
struct EmbeddedRedis {
    let executable: String
    let directory: String

    /// - Parameter directory: Absolute.
    /// - Throws: When there is no `redis-server`, or the socket's path would be too long.
    init(directory: String, path: String?) throws(StackError) {
        guard let executable = Self.find("redis-server", in: path ?? "") else {
            throw StackError(
                .unavailable,
                "no redis-server on PATH: install it (apt-get install redis-server), "
                    + "or name a running Redis with --redis URL")
        }
        self.executable = executable
        self.directory = directory
        guard socket.utf8.count <= Endpoint.maximumPath else {
            throw StackError(
                .failed,
                "the path of Redis' socket is longer than \(Endpoint.maximumPath) bytes, choose "
                    + "another --data: \(socket)")
        }
    }

    var socket: String { directory + "/redis.sock" }

    var url: String { "unix://" + socket }

    /// How it is started. `lock` stays open in it, so that no second stack uses the directory while
    /// this one still writes its last bytes.
    func command(lock: LockFile, environment: [String: String]) -> SupervisedProcess.Command {
        var command = SupervisedProcess.Command(
            executable: executable,
            arguments: [
                "--port", "0",
                "--unixsocket", socket, "--unixsocketperm", "700",
                "--dir", directory,
                "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                "--aof-use-rdb-preamble", "yes",
                "--databases", "1", "--maxmemory-policy", "noeviction",
                "--daemonize", "no", "--loglevel", "warning",
            ],
            environment: environment)
        command.keptDescriptor = lock.descriptor
        command.isKilledWithParent = false
        return command
    }

    private static func find(_ name: String, in path: String) -> String? {
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        // A service account's PATH may lack it.
        let usual = "/usr/sbin/\(name)"
        return FileManager.default.isExecutableFile(atPath: usual) ? usual : nil
    }
}

/// Why `freshet up` cannot run here.
struct StackError: Error, Equatable {
    var code: ExitCode
    var message: String

    init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

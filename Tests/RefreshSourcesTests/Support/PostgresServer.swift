import FreshetModel
import Glibc
import RefreshSources
import Testing

/// Starts a private PostgreSQL for a suite: a new cluster in a temporary directory, reachable only
/// by the unix socket in it, with a password.
struct PostgresServer: SuiteTrait, TestScoping {
    @TaskLocal static var folder = ""

    static let password = "pa55-w0rd-öß%"

    /// Whether Debian's server programs are here.
    static var programs: String? {
        for version in stride(from: 20, to: 12, by: -1) {
            let folder = "/usr/lib/postgresql/\(version)/bin"
            if unsafe access(folder + "/initdb", X_OK) == 0 { return folder }
        }
        return nil
    }

    /// The connection URL of `user`.
    static func url(user: String = "tester", password: String = "pa55-w0rd-%C3%B6%C3%9F%25")
        -> String
    {
        "postgresql://\(user):\(password)@/postgres?host=\(folder)"
    }

    @concurrent
    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard let programs = Self.programs else { return }
        let folder = try Folder()
        try folder.write("password", Self.password)
        // The server refuses to run as root.
        let isRoot = getuid() == 0
        if isRoot {
            let user = unsafe try #require(getpwnam("postgres"))
            unsafe chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid)
            unsafe chown(folder.path + "/password", user.pointee.pw_uid, user.pointee.pw_gid)
        }
        let asUser =
            isRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
        try await command(
            asUser + [
                "\(programs)/initdb", "-D", "\(folder.path)/data", "-U", "tester", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", "-A", "scram-sha-256",
                "--pwfile=\(folder.path)/password",
            ])
        try await Self.$folder.withValue(folder.path) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try? await command(
                        asUser + [
                            "\(programs)/postgres", "-D", "\(folder.path)/data", "-k", folder.path,
                            "-c", "listen_addresses=", "-c", "fsync=off",
                            "-c", "log_min_messages=fatal", "-c", "max_connections=100",
                        ])
                }
                try await waitUntilReady()
                try await function()
                group.cancelAll()
            }
        }
    }

    private func command(_ argv: [String]) async throws {
        var definition = CommandSource(argv: argv)
        definition.contentType = "text/plain"
        _ = try await source(.command(definition)).run(context())
    }

    private func waitUntilReady() async throws {
        let probe = try source(.postgres(PostgresSource(url: Self.url(), query: "SELECT 1")))
        for _ in 0..<600 {
            if (try? await probe.run(context())) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw SourceError("PostgreSQL did not start")
    }
}

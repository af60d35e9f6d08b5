/// What is said first on a new connection, in one write, and what the answers mean.
///
///     AUTH   CLIENT SETNAME   SELECT   ROLE (Sentinel)   PING   SCRIPT LOAD …
///
/// PING shows what the others tolerate: a server that still loads its data. A server that cannot save
/// (`MISCONF`) or that runs a long script (`BUSY`) is greeted all the same, since reads may work and
/// the script may end. A script that cannot be loaded is sent in full when it is first used.
struct Greeting {
    enum Progress: Equatable {
        case more
        case done
        case failed(RedisError)
    }

    private enum Step: Equatable {
        case authenticate
        case name
        case database(Int)
        case role
        case ping
        case script(Int)
    }

    private(set) var commands: [[RedisArgument]] = []
    private var steps: [Step] = []
    private var answered = 0
    private let scripts: RedisScripts
    private(set) var digests: [Int: [UInt8]] = [:]

    init(
        credentials: RedisCredentials?, name: String?, database: Int, mustBeMaster: Bool,
        scripts: RedisScripts
    ) {
        self.scripts = scripts
        if let credentials {
            let user = credentials.user.map { [RedisArgument($0)] } ?? []
            add(.authenticate, ["AUTH"] + user + [.text(credentials.password)])
        }
        if let name { add(.name, ["CLIENT", "SETNAME", .text(Self.printable(name))]) }
        if database != 0 { add(.database(database), ["SELECT", RedisArgument(database)]) }
        if mustBeMaster { add(.role, ["ROLE"]) }
        add(.ping, ["PING"])
        for (index, script) in scripts.all.enumerated() {
            add(.script(index), ["SCRIPT", "LOAD", .text(script.source)])
        }
    }

    private mutating func add(_ step: Step, _ command: [RedisArgument]) {
        steps.append(step)
        commands.append(command)
    }

    /// A name of a connection may hold neither spaces nor control characters.
    private static func printable(_ name: String) -> String {
        String(name.map { $0.isASCII && $0 > " " && $0 <= "~" ? $0 : "_" })
    }

    /// Takes the next answer.
    mutating func accept(_ value: RedisValue) -> Progress {
        guard answered < steps.count else { return .done }
        let step = steps[answered]
        answered += 1
        if let error = failure(step, value) { return .failed(error) }
        if case .script(let index) = step, let digest = value.bytes { digests[index] = digest }
        return answered == steps.count ? .done : .more
    }

    /// Lets the scripts know their digests, which all connections share.
    func rememberDigests() {
        for (index, digest) in digests { scripts.all[index].remember(digest: digest) }
    }

    private func failure(_ step: Step, _ value: RedisValue) -> RedisError? {
        if case .role = step, value.array?.first?.text != "master" {
            guard case .error = value else {
                let role = value.array?.first?.text ?? "of no known role"
                return RedisError(.unreachable, "the server is \(role), not the master")
            }
        }
        guard case .error(let text) = value else { return nil }
        let error = RedisError(reply: text)
        if text.hasPrefix("ERR max number of clients") {
            return RedisError(.unreachable, error.message)
        }
        switch (step, error.code) {
        case (_, .authentication): return error
        case (_, .server("DENIED")): return RedisError(.denied, error.message)
        case (.authenticate, .loading), (.authenticate, .busy): return error
        case (.authenticate, _): return RedisError(.authentication, error.message)
        case (.database, .server): return RedisError(.invalidDatabase, error.message)
        case (.database, _), (.role, _): return error
        case (.ping, .loading), (.ping, .masterDown): return error
        case (.name, _), (.ping, _), (.script, _): return nil
        }
    }
}

/// The form of a Redis URL, checked before anybody connects. Messages quote no part that may hold a
/// password.
///
///     redis://[[user]:password@]host[:port][/database]
///     unix:///path/of.sock[?db=N&user=U&password=P]
///     redis+sentinel://[[user]:password@]h1[:port],h2[:port]/master[/database][?sentinel_password=P]
///     redis+cluster://[[user]:password@]h1[:port],h2[:port]
enum RedisURLForm {
    /// What is wrong with `url`, or `nil`.
    static func problem(of url: String) -> String? {
        guard let mark = url.firstRange(of: "://") else {
            return
                "a Redis URL begins with redis://, unix://, redis+sentinel:// or redis+cluster://"
        }
        guard !url.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
            return "a Redis URL holds no spaces"
        }
        let scheme = String(url[..<mark.lowerBound])
        let parts = Parts(url[mark.upperBound...], isPath: scheme == "unix")
        switch scheme {
        case "redis":
            return parts.hostsProblem(limit: 1) ?? parts.pathProblem(["a database number"])
        case "redis+sentinel":
            guard parts.path.first.map({ !$0.isEmpty }) ?? false else {
                return
                    "redis+sentinel:// ends with the master's name: redis+sentinel://h1,h2/mymaster"
            }
            return parts.hostsProblem(limit: 64)
                ?? parts.pathProblem(["the master's name", "a database number"])
        case "redis+cluster": return parts.hostsProblem(limit: 64) ?? parts.pathProblem([])
        case "unix":
            guard parts.hosts.hasPrefix("/"), parts.hosts.utf8.count > 1 else {
                return "unix:// takes an absolute path: unix:///run/redis/redis.sock"
            }
            // The path of a socket address has 108 bytes, the last is zero.
            return parts.hosts.utf8.count > 107 ? "the path of a socket has at most 107 bytes" : nil
        case "rediss":
            return "rediss:// (TLS) is not spoken; reach Redis through a local tunnel"
        default:
            return "unknown scheme; a Redis URL begins with redis://, unix://, redis+sentinel:// "
                + "or redis+cluster://"
        }
    }

    /// The URL with `***` for its passwords.
    static func redacted(_ url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return "***" }
        var rest = String(url[mark.upperBound...])
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at].prefix { $0 != ":" }
            rest = "\(user):***" + rest[at...]
        }
        if let question = rest.lastIndex(of: "?") {
            let fields = rest[rest.index(after: question)...].split(separator: "&").map { field in
                let name = field.prefix { $0 != "=" }
                return name.hasSuffix("password") ? "\(name)=***" : String(field)
            }
            rest = rest[...question] + fields.joined(separator: "&")
        }
        return url[..<mark.upperBound] + rest
    }

    private struct Parts {
        /// Without credentials: `h1:1,h2`, or the path of a socket.
        var hosts: Substring
        var path: [Substring] = []

        init(_ text: Substring, isPath: Bool) {
            var rest = text
            if let question = rest.lastIndex(of: "?"), isPath || !rest[question...].contains("@") {
                rest = rest[..<question]
            }
            // A password may hold a slash or an at-sign in practice: the last @ divides.
            if !isPath, let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
            let slash = isPath ? rest.endIndex : rest.firstIndex(of: "/") ?? rest.endIndex
            hosts = rest[..<slash]
            path = rest[slash...].dropFirst().split(
                separator: "/", omittingEmptySubsequences: false)
            if path.last == "" { path.removeLast() }
        }

        func hostsProblem(limit: Int) -> String? {
            let all = hosts.split(separator: ",", omittingEmptySubsequences: false)
            guard all.count <= limit else {
                return limit == 1
                    ? "redis:// names one host; several need redis+sentinel:// or redis+cluster://"
                    : "more than \(limit) hosts"
            }
            for host in all {
                if let problem = Self.problem(host: host) { return problem }
            }
            return nil
        }

        private static func problem(host: Substring) -> String? {
            var name = host
            var port: Substring?
            if host.hasPrefix("[") {
                guard let bracket = host.firstIndex(of: "]") else {
                    return "an IPv6 address lacks its closing bracket"
                }
                name = host[...bracket].dropFirst().dropLast()
                let after = host[host.index(after: bracket)...]
                guard after.isEmpty || after.hasPrefix(":") else {
                    return "after `]` stands a colon and a port"
                }
                if !after.isEmpty { port = after.dropFirst() }
            } else if let colon = host.firstIndex(of: ":") {
                name = host[..<colon]
                port = host[host.index(after: colon)...]
                guard port?.contains(":") == false else {
                    return "an IPv6 address stands in brackets"
                }
            }
            guard !name.isEmpty else { return "a host is missing" }
            guard let port else { return nil }
            guard let number = Values.wholeNumber(String(port)), (1...65_535).contains(number)
            else { return "a port is a number from 1 to 65535" }
            return nil
        }

        /// `parts` names what may follow the hosts; the last of them, a database, is a number.
        func pathProblem(_ parts: [String]) -> String? {
            guard path.count <= parts.count else {
                return parts.isEmpty
                    ? "a Redis Cluster has one database: nothing follows its hosts"
                    : "after the hosts stands nothing but \(parts.joined(separator: " and "))"
            }
            guard path.count == parts.count, let database = path.last else { return nil }
            guard let number = Values.wholeNumber(String(database)), (0...65_535).contains(number)
            else { return "the database is a number from 0" }
            return nil
        }
    }
}

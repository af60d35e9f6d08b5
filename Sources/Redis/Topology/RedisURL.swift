/// Where Redis is, and how to log in, as written in the configuration:
///
///     redis://[[user]:password@]host[:6379][/database]
///     unix:///path/of.sock[?db=N&user=U&password=P]
///     redis+sentinel://[[user]:password@]h1[:26379],h2[:26379]/master[/database][?sentinel_password=P]
///     redis+cluster://[[user]:password@]h1[:6379],h2[:6379]
///
/// User, password, path and master are percent-decoded. The query fields `db`, `user` and `password`
/// are understood for all of them but `db` for a Cluster, which has one database.
package struct RedisURL: Hashable, Sendable {
    package var topology: RedisTopology
    package var credentials: RedisCredentials?
    /// For the sentinels themselves.
    package var sentinelCredentials: RedisCredentials?
    package var database = 0

    /// One server without a password.
    package init(_ endpoint: RedisEndpoint) { topology = .server(endpoint) }

    /// Parses `text`; the error says what is wrong with it and never quotes a password.
    package init(parsing text: String) throws(RedisURLError) {
        guard let mark = text.firstRange(of: "://") else {
            throw RedisURLError(
                "a Redis URL begins with redis://, unix://, redis+sentinel:// or redis+cluster://")
        }
        let scheme = text[..<mark.lowerBound].lowercased()
        var rest = text[mark.upperBound...]
        var query = URLQuery()
        if let question = rest.lastIndex(of: "?"),
            scheme == "unix" || !rest[question...].contains("@")
        {
            query = try URLQuery(parsing: rest[rest.index(after: question)...])
            rest = rest[..<question]
        }
        switch scheme {
        case "redis": try self.init(server: rest, &query)
        case "unix": try self.init(unix: rest, &query)
        case "redis+sentinel": try self.init(sentinel: rest, &query)
        case "redis+cluster": try self.init(cluster: rest)
        case "rediss":
            throw RedisURLError(
                "rediss:// (TLS) is not spoken here; use redis:// through a local tunnel")
        default:
            throw RedisURLError(
                "unknown scheme \(scheme)://; known are redis, unix, redis+sentinel, redis+cluster")
        }
        try takeCredentials(from: &query)
        try query.refuseRest()
    }

    private init(server text: Substring, _ query: inout URLQuery) throws(RedisURLError) {
        let authority = try URLAuthority(parsing: text, defaultPort: 6379)
        guard authority.endpoints.count == 1 else {
            throw RedisURLError(
                "redis:// names one host; several need redis+sentinel:// or redis+cluster://")
        }
        guard authority.path.count <= 1 else {
            throw RedisURLError("after redis://host/ stands a database number, not a path")
        }
        topology = .server(authority.endpoints[0])
        credentials = authority.credentials
        database = try Self.database(authority.path.first ?? query.take("db"))
    }

    private init(unix text: Substring, _ query: inout URLQuery) throws(RedisURLError) {
        guard text.hasPrefix("/") else {
            throw RedisURLError("unix:// wants an absolute path: unix:///run/redis.sock")
        }
        let path = try URLText.decode(text)
        guard path.utf8.count <= SocketAddress.maxPathBytes, path.utf8.count > 1 else {
            throw RedisURLError(
                "the path of a unix socket has 2 to \(SocketAddress.maxPathBytes) bytes")
        }
        topology = .server(.unix(path: path))
        database = try Self.database(query.take("db"))
    }

    private init(sentinel text: Substring, _ query: inout URLQuery) throws(RedisURLError) {
        let authority = try URLAuthority(parsing: text, defaultPort: 26379)
        guard let master = authority.path.first, !master.isEmpty else {
            throw RedisURLError(
                "redis+sentinel:// wants the master's name: redis+sentinel://h1,h2/mymaster")
        }
        guard authority.path.count <= 2 else {
            throw RedisURLError(
                "after redis+sentinel://hosts/master/ stands a database number only")
        }
        topology = .sentinel(authority.endpoints, master: master)
        credentials = authority.credentials
        database = try Self.database(
            authority.path.count > 1 ? authority.path[1] : query.take("db"))
        let user = query.take("sentinel_user")
        if let password = query.take("sentinel_password") {
            sentinelCredentials = RedisCredentials(user: user, password: password)
        } else if user != nil {
            throw RedisURLError("sentinel_user without sentinel_password")
        }
    }

    private init(cluster text: Substring) throws(RedisURLError) {
        let authority = try URLAuthority(parsing: text, defaultPort: 6379)
        guard authority.path.isEmpty else {
            throw RedisURLError("a Redis Cluster has one database: nothing stands after the hosts")
        }
        topology = .cluster(authority.endpoints)
        credentials = authority.credentials
    }

    private mutating func takeCredentials(from query: inout URLQuery) throws(RedisURLError) {
        let user = query.take("user")
        guard let password = query.take("password") else {
            if user != nil { throw RedisURLError("user without password") }
            return
        }
        guard credentials == nil else {
            throw RedisURLError("the password is given twice, before @ and in the query")
        }
        credentials = RedisCredentials(user: user, password: password)
    }

    private static func database(_ text: String?) throws(RedisURLError) -> Int {
        guard let text, !text.isEmpty else { return 0 }
        guard text.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(text),
            number <= 65_535
        else { throw RedisURLError("the database is a number from 0, not \"\(text)\"") }
        return number
    }
}

extension RedisURL: CustomStringConvertible {
    /// The URL with `***` for each password: fit for logs.
    package var description: String {
        let login = credentials.map { "\($0)@" } ?? ""
        let suffix = database == 0 ? "" : "/\(database)"
        switch topology {
        case .server(.unix(let path)):
            var fields: [String] = []
            if database != 0 { fields.append("db=\(database)") }
            if let user = credentials?.user { fields.append("user=\(user)") }
            if credentials != nil { fields.append("password=***") }
            return "unix://\(path)" + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
        case .server(let endpoint): return "redis://\(login)\(endpoint)\(suffix)"
        case .sentinel(let endpoints, let master):
            let hosts = endpoints.map(\.description).joined(separator: ",")
            let query = sentinelCredentials == nil ? "" : "?sentinel_password=***"
            return "redis+sentinel://\(login)\(hosts)/\(master)\(suffix)\(query)"
        case .cluster(let endpoints):
            let hosts = endpoints.map(\.description).joined(separator: ",")
            return "redis+cluster://\(login)\(hosts)"
        }
    }
}

/// What is wrong with a Redis URL, in one sentence without secrets.
package struct RedisURLError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String
    init(_ message: String) { self.message = message }
    package var description: String { message }
}

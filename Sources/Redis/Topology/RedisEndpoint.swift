/// Where one Redis process listens.
package enum RedisEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name or numeric address, without brackets, and a port.
    case tcp(host: String, port: Int)
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// How the processes that hold the data are found.
package enum RedisTopology: Hashable, Sendable {
    case server(RedisEndpoint)
    /// Ask the sentinels where the master called so is.
    case sentinel([RedisEndpoint], master: String)
    /// Ask any of these nodes for the slots of all.
    case cluster([RedisEndpoint])
}

/// What AUTH is given. Never shown.
package struct RedisCredentials: Hashable, Sendable, CustomStringConvertible {
    /// nil: the default user.
    package let user: String?
    package let password: String

    package init(user: String?, password: String) {
        self.user = user
        self.password = password
    }

    package var description: String { user.map { "\($0):***" } ?? ":***" }
}

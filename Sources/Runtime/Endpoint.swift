internal import CLinux

/// Where a socket listens: a path or a host with a port.
package enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case unix(path: String)
    case tcp(host: String, port: Int)

    /// Bytes that the path of a unix socket may have.
    package static let maximumPath = 107

    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// Reads `HOST:PORT` or `[IPv6]:PORT`; `nil` when it is neither.
    package init?(hostAndPort text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .tcp(host: String(host), port: port)
    }

    /// Calls `body` with each address it stands for until one gives a result, `nil` when none does.
    ///
    /// Resolves names on the calling thread: for start-up, not for a loop that serves.
    func withAddresses<Result>(
        _ body: (_ family: Int32, UnsafePointer<sockaddr>, socklen_t) -> Result?
    ) -> Result? {
        switch self {
        case .unix(let path):
            guard path.utf8.count <= Self.maximumPath else { return nil }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
                unsafe target.copyBytes(from: path.utf8)
            }
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .tcp(let host, let port):
            var hints = unsafe addrinfo()
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
            defer { unsafe freeaddrinfo(list) }
            var next = unsafe list
            while let entry = unsafe next {
                if let address = unsafe entry.pointee.ai_addr,
                    let result = unsafe body(
                        entry.pointee.ai_family, address, entry.pointee.ai_addrlen)
                {
                    return result
                }
                unsafe next = entry.pointee.ai_next
            }
            return nil
        }
    }
}

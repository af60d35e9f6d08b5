internal import Glibc

/// A numeric socket address, ready for `connect`.
struct SocketAddress: Hashable, Sendable {
    /// The C structure, byte for byte: `sockaddr_in`, `sockaddr_in6` or `sockaddr_un`.
    let bytes: [UInt8]
    let family: Int32
    let name: String

    /// `sun_path` has 108 bytes of which the last is zero.
    static let maxPathBytes = 107

    init(bytes: [UInt8], family: Int32, name: String) {
        self.bytes = bytes
        self.family = family
        self.name = name
    }

    /// A unix socket; nil when the path does not fit.
    init?(path: String) {
        guard path.utf8.count <= Self.maxPathBytes else { return nil }
        let family = sa_family_t(AF_UNIX)
        bytes = unsafe withUnsafeBytes(of: family) { unsafe Array($0) } + Array(path.utf8) + [0]
        self.family = AF_UNIX
        name = path
    }

    /// A numeric IPv4 or IPv6 address; nil for a name.
    init?(numeric host: String, port: Int) {
        name = RedisEndpoint.tcp(host: host, port: port).description
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr = four
            bytes = unsafe withUnsafeBytes(of: address) { unsafe Array($0) }
            family = AF_INET
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(port).bigEndian
        address.sin6_addr = six
        bytes = unsafe withUnsafeBytes(of: address) { unsafe Array($0) }
        family = AF_INET6
    }
}

internal import CLinux

/// A port that this process has bound but does not listen on, so that its children can share it and
/// nobody else takes it meanwhile.
///
/// With SO_REUSEPORT a stranger of the same user could share the port unnoticed; so it is bound
/// without first, which fails when anybody has it.
@safe
package final class PortReservation {
    /// The port; a free one when 0 was asked for.
    package let port: Int
    private let descriptor: Int32

    /// Binds `port` of `host`.
    package init(host: String, port: Int) throws(SystemError) {
        let endpoint = Endpoint.tcp(host: host, port: port)
        let exclusive = try Self.bind(endpoint, isShared: false)
        let bound = Self.port(of: exclusive)
        close(exclusive)
        descriptor = try Self.bind(.tcp(host: host, port: bound), isShared: true)
        self.port = bound
    }

    deinit { close(descriptor) }

    private static func bind(_ endpoint: Endpoint, isShared: Bool) throws(SystemError) -> Int32 {
        var failure: SystemError?
        let bound: Int32? = unsafe endpoint.withAddresses { family, address, length in
            let descriptor = socket(
                family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var on: Int32 = 1
            let option = isShared ? SO_REUSEPORT : SO_REUSEADDR
            if descriptor >= 0,
                unsafe setsockopt(
                    descriptor, SOL_SOCKET, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0,
                unsafe CLinux.bind(descriptor, address, length) == 0
            {
                return descriptor
            }
            failure = .last("listen on \(endpoint)")
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        if let bound { return bound }
        throw failure ?? SystemError("find the address \(endpoint)", code: EADDRNOTAVAIL)
    }

    private static func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let bytes = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &length)
            }
            // The port stands at the same place in both families, most significant byte first.
            return unsafe UnsafeRawBufferPointer(start: pointer, count: 4).map { $0 }
        }
        return Int(bytes[2]) << 8 | Int(bytes[3])
    }
}

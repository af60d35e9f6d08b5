internal import CMicrohttpd

/// Where a connection comes from.
@safe
struct PeerAddress {
    private var storage: sockaddr_storage
    private let length: socklen_t

    /// Accepts a connection of `listener`; the error number when there is none.
    static func accept(_ listener: Int32) -> Result<(descriptor: Int32, PeerAddress), SystemError> {
        var storage = sockaddr_storage()
        var length = socklen_t(0)
        let descriptor = unsafe freshet_accept(listener, &storage, &length)
        if descriptor < 0 { return .failure(SystemError(code: freshet_errno())) }
        return .success((descriptor, PeerAddress(storage: storage, length: length)))
    }

    /// Without the port; IPv4 that came in through IPv6 as IPv4.
    var text: String {
        var storage = storage
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return "" }
            unsafe freshet_address_text(&storage, start)
            return unsafe String(cString: start)
        }
    }

    mutating func withAddress<Value>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        let length = length
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, length)
            }
        }
    }
}

/// A system call's error.
struct SystemError: Error, CustomStringConvertible {
    let code: Int32

    var description: String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

internal import Glibc

/// System calls on a stream socket that never blocks, is not inherited by child processes and never
/// raises SIGPIPE. A failed call answers with the number of its error.
enum Socket {
    enum Outcome {
        case bytes(Int)
        case wouldBlock
        case failed(Int32)
    }

    /// Begins to connect; the socket is open, or has failed, when it becomes writable.
    static func connecting(to address: SocketAddress) -> Result<Int32, SystemError> {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { return .failure(SystemError(errno)) }
        if address.family != AF_UNIX {
            // Commands are small and are batched here already.
            set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            // Finds a dead peer on an idle connection; deadlines find it on a busy one.
            set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
            set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        }
        let status = unsafe address.bytes.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe connect(descriptor, pointer.baseAddress, socklen_t(bytes.count))
            }
        }
        if status == 0 || errno == EINPROGRESS { return .success(descriptor) }
        let error = SystemError(errno)
        close(descriptor)
        return .failure(error)
    }

    /// How the connecting ended.
    static func connectError(_ descriptor: Int32) -> SystemError? {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        if status != 0 { return SystemError(errno) }
        return number == 0 ? nil : SystemError(number)
    }

    /// Sends what fits; `isMore` says that more follows at once, so a short packet can wait for it.
    static func send(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>, isMore: Bool) -> Outcome {
        let flags = Int32(MSG_NOSIGNAL) | (isMore ? Int32(MSG_MORE) : 0)
        while true {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags)
            }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }

    /// Reads into `buffer`; `.bytes(0)` is the end of the stream.
    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }

    static func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // A refused option costs latency or a later discovery, never correctness.
        _ = unsafe setsockopt(
            descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// An error number of the system.
struct SystemError: Error, CustomStringConvertible {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    var description: String { unsafe String(cString: strerror(number)) }
}

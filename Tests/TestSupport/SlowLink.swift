internal import Glibc
internal import Synchronization

/// A long way to a server on a unix socket: a port of 127.0.0.1 that passes bytes on in pieces, each
/// after a delay, as a connection does whose window is still small.
package final class SlowLink: Sendable {
    package let port: Int
    private let listener: Int32
    private let isOver = Atomic(false)

    /// - Parameters:
    ///   - delay: Of each piece, one way.
    ///   - piece: Bytes that are under way at once, one way.
    package init(to socketPath: String, delay: Duration, piece: Int) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw SystemFailure("socket") }
        port = try LoopbackPort.bindAnywhere(listener)
        guard listen(listener, 64) == 0 else { throw SystemFailure("listen") }
        let listener = listener
        BackgroundThread.start {
            while true {
                let near = accept(listener, nil, nil)
                guard near >= 0 else { return }
                guard let far = Self.connect(to: socketPath) else {
                    close(near)
                    continue
                }
                let ends = Ends(near: near, far: far)
                BackgroundThread.start { ends.pass(from: near, to: far, delay, piece) }
                BackgroundThread.start { ends.pass(from: far, to: near, delay, piece) }
            }
        }
    }

    /// Takes no more connections; those there are end with either side.
    package func stop() {
        guard !isOver.exchange(true, ordering: .relaxed) else { return }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    deinit {
        stop()
        close(listener)
    }

    private static func connect(to path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let family = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) }
        let address = family + Array(path.utf8) + [0]
        let status = unsafe address.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe Glibc.connect(descriptor, pointer.baseAddress, socklen_t(bytes.count))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}

/// Both sockets of a connection that is passed on; closed when both directions are over.
private final class Ends: Sendable {
    private let near: Int32
    private let far: Int32

    init(near: Int32, far: Int32) {
        self.near = near
        self.far = far
    }

    deinit {
        close(near)
        close(far)
    }

    func pass(from source: Int32, to target: Int32, _ delay: Duration, _ piece: Int) {
        var buffer = [UInt8](repeating: 0, count: piece)
        let pause = UInt32(delay.components.attoseconds / 1_000_000_000_000)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(source, bytes.baseAddress, bytes.count, 0)
            }
            guard count > 0 else { break }
            usleep(pause)
            let sent = unsafe buffer.withUnsafeBytes { bytes in
                unsafe send(target, bytes.baseAddress, count, Int32(MSG_NOSIGNAL))
            }
            guard sent == count else { break }
        }
        shutdown(near, Int32(SHUT_RDWR))
        shutdown(far, Int32(SHUT_RDWR))
    }
}

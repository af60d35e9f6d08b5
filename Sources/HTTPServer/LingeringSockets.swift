internal import CMicrohttpd
internal import Runtime

/// Sockets whose last answer is on its way while their clients may still be sending.
///
/// Closing a socket with unread bytes resets the connection, and the client may never see why it was
/// refused. So the end is announced, what still comes is thrown away for a while, and then it is closed.
@safe
final class LingeringSockets {
    private static let socketsMax = 256
    private static let time = Duration.seconds(1)
    private static let bytesMax = 16 * 1024 * 1024

    private let loop: EventLoop
    private struct Entry {
        var discarded = 0
        let timer: EventLoop.Timer
    }

    private var taken: [Int32: Entry] = [:]
    private var scratch = [UInt8](repeating: 0, count: 64 * 1024)

    init(loop: EventLoop) { self.loop = loop }

    /// For a socket that somebody else is about to close.
    func take(duplicateOf descriptor: Int32) {
        guard taken.count < Self.socketsMax else { return }
        let copy = freshet_duplicate(descriptor)
        if copy >= 0 { take(copy) }
    }

    /// Takes the socket over.
    func take(_ descriptor: Int32) {
        shutdown(descriptor, Int32(SHUT_WR))
        guard taken.count < Self.socketsMax,
            loop.add(
                descriptor, [.read], handler: { _ in self.discard(descriptor) })
        else { return closeSocket(descriptor) }
        taken[descriptor] = Entry(
            timer: loop.schedule(after: Self.time) { self.close(descriptor) })
    }

    func closeAll() {
        for descriptor in Array(taken.keys) { close(descriptor) }
    }

    private func discard(_ descriptor: Int32) {
        guard let before = taken[descriptor]?.discarded else { return }
        let count = unsafe scratch.withUnsafeMutableBytes { buffer in
            unsafe recv(
                descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        }
        if count < 0 && freshet_errno() == EAGAIN { return }
        taken[descriptor]?.discarded = before + max(count, 0)
        if count <= 0 || before > Self.bytesMax { close(descriptor) }
    }

    private func close(_ descriptor: Int32) {
        guard let entry = taken.removeValue(forKey: descriptor) else { return }
        loop.cancel(entry.timer)
        loop.remove(descriptor)
        closeSocket(descriptor)
    }
}

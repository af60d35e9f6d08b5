internal import Runtime

/// One socket on the loop: bytes out, replies in, and nothing known of what they mean.
///
/// Commands appended during a turn leave together at its end. A wire is used for one connection and
/// then thrown away. The owner sets the three handlers; after `close`, or after `onClosed`, none is
/// called again.
final class Wire {
    private static let readBytes = 64 * 1024
    /// Reads of one turn before other descriptors have theirs.
    private static let readsPerTurn = 16

    var onOpen: () -> Void = {}
    var onValue: (RedisValue) -> Void = { _ in }
    /// The socket broke or was closed by the peer; the error is `.unreachable` before `onOpen`.
    var onClosed: (RedisError) -> Void = { _ in }

    /// When the peer last showed life, on the loop's clock: it sent bytes, or made room for a backlog.
    private(set) var lastActivity: UInt64
    private let loop: EventLoop
    private let name: String
    private var descriptor: Int32 = -1
    private var output = OutputQueue()
    private var reader = ReplyReader()
    private var isOpen = false
    private var isWaitingForSpace = false
    private var isFlushPlanned = false

    init(loop: EventLoop, name: String) {
        self.loop = loop
        self.name = name
        lastActivity = EventLoop.monotonicNanoseconds()
    }

    /// The stream offset up to which bytes were handed to the kernel.
    var written: UInt64 { output.written }
    /// Bytes that wait to be written.
    var unwritten: Int { output.count }

    /// Begins to connect. A failure that shows at once is returned, not reported.
    func connect(to address: SocketAddress) -> RedisError? {
        switch Socket.connecting(to: address) {
        case .failure(let error):
            return RedisError(.unreachable, "cannot connect to \(name): \(error)")
        case .success(let opened):
            descriptor = opened
            loop.add(opened, [.write]) { [self] ready in handle(ready) }
            return nil
        }
    }

    /// Queues one command and answers with the stream offset of its end.
    @discardableResult
    func append(_ arguments: [RedisArgument]) -> UInt64 {
        let end = output.append(arguments)
        if !isFlushPlanned, isOpen, !isWaitingForSpace {
            isFlushPlanned = true
            loop.atEndOfThisTurn { [self] in
                isFlushPlanned = false
                if !isWaitingForSpace { flush() }
            }
        }
        return end
    }

    /// Closes the socket without a word to the handlers.
    func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor)
        Socket.closeDescriptor(descriptor)
        descriptor = -1
        onOpen = {}
        onValue = { _ in }
        onClosed = { _ in }
    }

    private func fail(_ code: RedisError.Code, _ reason: String) {
        guard descriptor >= 0 else { return }
        let onClosed = onClosed
        close()
        onClosed(RedisError(code, reason))
    }

    private func handle(_ ready: EventLoop.Readiness) {
        if !isOpen { return finishConnecting() }
        if ready.contains(.write) { flush() }
        if ready.contains(.read) || ready.contains(.closed) { read() }
    }

    private func finishConnecting() {
        if let error = Socket.connectError(descriptor) {
            return fail(.unreachable, "cannot connect to \(name): \(error)")
        }
        isOpen = true
        lastActivity = EventLoop.monotonicNanoseconds()
        loop.modify(descriptor, [.read])
        onOpen()
    }

    private func flush() {
        guard descriptor >= 0 else { return }
        let before = output.written
        let failure = output.flush { [descriptor] bytes, isMore in
            Socket.send(descriptor, bytes, isMore: isMore)
        }
        // A frozen peer's kernel takes small writes for a while; only a backlog that moves is a sign.
        if isWaitingForSpace, output.written != before {
            lastActivity = EventLoop.monotonicNanoseconds()
        }
        if let failure {
            return fail(.closed, "\(name) broke: \(SystemError(failure))")
        }
        let mustWait = !output.isEmpty
        if mustWait != isWaitingForSpace {
            isWaitingForSpace = mustWait
            loop.modify(descriptor, mustWait ? [.read, .write] : [.read])
        }
    }

    private func read() {
        // Above the size the system keeps on the stack, below the one it would map anew each time.
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.readBytes, alignment: 16) { buffer in
            for _ in 0..<Self.readsPerTurn {
                guard descriptor >= 0 else { return }
                switch unsafe Socket.read(descriptor, into: buffer) {
                case .wouldBlock: return
                case .failed(let number):
                    return fail(.closed, "\(name) broke: \(SystemError(number))")
                case .bytes(0): return fail(.closed, "\(name) closed the connection")
                case .bytes(let count):
                    lastActivity = EventLoop.monotonicNanoseconds()
                    _ = unsafe reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    deliver()
                    if count < buffer.count { return }
                }
            }
        }
    }

    private func deliver() {
        while descriptor >= 0 {
            switch reader.next() {
            case .value(let value): onValue(value)
            case .needsMore:
                if reader.isBloated { reader = ReplyReader() }
                return
            case .broken(let reason):
                return fail(
                    .protocolViolation, "\(name) does not speak the Redis protocol: \(reason)")
            }
        }
    }
}

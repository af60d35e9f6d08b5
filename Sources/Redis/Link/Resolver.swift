internal import Glibc
internal import Runtime

/// Turns host names into addresses on a thread of its own, because the C library's look-up blocks,
/// for many seconds when the name server is away.
///
/// One look-up runs at a time for each resolver. Who asks again before it ended is told by the same
/// one, so a name server that hangs costs one thread and not one for each attempt.
final class Resolver {
    typealias Completion = (Result<[SocketAddress], RedisError>) -> Void

    private let loop: EventLoop
    private var running: RedisEndpoint?
    private var waiting: (endpoint: RedisEndpoint, completion: Completion)?

    init(loop: EventLoop) { self.loop = loop }

    /// Answers at once for what needs no look-up. A newer call replaces an unanswered one.
    func resolve(_ endpoint: RedisEndpoint, _ completion: @escaping Completion) {
        switch endpoint {
        case .unix(let path):
            guard let address = SocketAddress(path: path) else {
                let error = RedisError(.unreachable, "the socket path \(path) is too long")
                return completion(.failure(error))
            }
            completion(.success([address]))
        case .tcp(let host, let port):
            if let address = SocketAddress(numeric: host, port: port) {
                return completion(.success([address]))
            }
            waiting = (endpoint, completion)
            if running == nil { lookUp(endpoint, host, port) }
        }
    }

    /// Forgets who waits; the look-up ends in its own time.
    func forget() { waiting = nil }

    private func lookUp(_ endpoint: RedisEndpoint, _ host: String, _ port: Int) {
        running = endpoint
        let inbox = LoopBound(here: self, on: loop)
        let isStarted = BackgroundThread.start {
            let result = Self.blockingLookUp(host, port)
            inbox.perform { $0.finish(result) }
        }
        if !isStarted {
            finish(.failure(RedisError(.unreachable, "no thread for the look-up of \(host)")))
        }
    }

    private func finish(_ result: Result<[SocketAddress], RedisError>) {
        let ended = running
        running = nil
        guard let waiting else { return }
        if waiting.endpoint == ended {
            self.waiting = nil
            waiting.completion(result)
        } else if case .tcp(let host, let port) = waiting.endpoint {
            lookUp(waiting.endpoint, host, port)
        }
    }

    private static func blockingLookUp(
        _ host: String, _ port: Int
    ) -> Result<[SocketAddress], RedisError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let reason = unsafe String(cString: gai_strerror(status))
            return .failure(RedisError(.unreachable, "cannot look up \(host): \(reason)"))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            addresses.append(
                SocketAddress(
                    bytes: unsafe Array(bytes), family: unsafe entry.pointee.ai_family,
                    name: RedisEndpoint.tcp(host: host, port: port).description))
            unsafe next = entry.pointee.ai_next
        }
        return .success(addresses)
    }
}

/// A detached thread for one blocking call.
enum BackgroundThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Whether the thread could be started.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

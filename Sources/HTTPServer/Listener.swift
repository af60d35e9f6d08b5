internal import CMicrohttpd
internal import Runtime

/// A socket that connections come in through.
///
/// It is left alone, without a busy loop, while there is no room for more: at the limit until a
/// connection goes, and without descriptors for a moment.
@safe
final class Listener {
    private static let acceptedPerTurnMax = 64

    private let descriptor: Int32
    private unowned let core: ServerCore
    let port: Int
    private var isWatched = false
    private var isClosed = false
    private var complainedAt: UInt64 = 0

    private init(_ descriptor: Int32, _ core: ServerCore) {
        self.descriptor = descriptor
        self.core = core
        port = Int(freshet_bound_port(descriptor))
        watch()
    }

    /// Listens on every address that the host has.
    static func open(
        _ configuration: HTTPServer.Configuration, core: ServerCore
    ) throws(HTTPServerError) -> [Listener] {
        var listeners: [Listener] = []
        var port = configuration.port
        var missing: SystemError?
        for var address in try SocketAddress.resolve(configuration.host) {
            let result = address.listen(
                port: port, sharesPort: configuration.sharesPort,
                backlog: configuration.backlog)
            if result == -EADDRNOTAVAIL || result == -EAFNOSUPPORT {
                // A name may have an address of a kind that this host does not speak.
                missing = SystemError(code: -result)
                continue
            }
            if result < 0 {
                for listener in listeners { listener.close() }
                let reason = SystemError(code: -result)
                throw HTTPServerError(
                    description: "cannot listen on \(configuration.host):\(port): \(reason)")
            }
            let listener = Listener(result, core)
            // Port 0 is chosen once, for all addresses.
            port = listener.port
            listeners.append(listener)
        }
        if let missing, listeners.isEmpty {
            throw HTTPServerError(
                description: "cannot listen on \(configuration.host):\(port): \(missing)")
        }
        return listeners
    }

    private func watch() {
        guard !isWatched, !isClosed else { return }
        isWatched = core.loop.add(descriptor, [.read]) { _ in self.accept() }
    }

    private func unwatch() {
        guard isWatched else { return }
        isWatched = false
        core.loop.remove(descriptor)
    }

    /// A connection has gone.
    func roomMade() {
        if !isWatched && core.connectionCount < core.limits.connections { watch() }
    }

    func close() {
        guard !isClosed else { return }
        unwatch()
        isClosed = true
        closeSocket(descriptor)
    }

    /// Takes those whom the kernel has let in already, and closes: they would be reset otherwise,
    /// although other processes listen on the same port.
    func drainAndClose() {
        guard !isClosed else { return }
        // Between the last of them and the close others would come.
        freshet_let_nobody_in(descriptor)
        var last = -1
        while core.connectionCount > last, core.connectionCount < core.limits.connections {
            last = core.connectionCount
            accept()
        }
        close()
    }

    private func accept() {
        for _ in 0..<Self.acceptedPerTurnMax {
            guard core.connectionCount < core.limits.connections else {
                Log.debug("http.connections_full", ["limit": core.limits.connections])
                return unwatch()
            }
            switch PeerAddress.accept(descriptor) {
            case .success(let (accepted, address)): core.gate.take(accepted, address)
            case .failure(let error):
                switch error.code {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOMEM, ENOBUFS: return pause(error)
                // The client went while it waited, and errors of its network.
                default: continue
                }
            }
        }
    }

    /// Without descriptors the socket stays readable: looking again at once would only burn time.
    private func pause(_ error: SystemError) {
        unwatch()
        let now = EventLoop.monotonicNanoseconds()
        if complainedAt == 0 || now - complainedAt > 60_000_000_000 {
            complainedAt = now
            Log.warning("http.accept_failed", ["error": error])
        }
        core.loop.schedule(after: .milliseconds(100)) { self.watch() }
    }
}

/// An address to listen on.
@safe
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(0)

    /// The addresses of a host: one, or for a name all that it has.
    static func resolve(_ host: String) throws(HTTPServerError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = 1  // SOCK_STREAM
        unsafe hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let bare =
            host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let error = unsafe getaddrinfo(bare, "0", &hints, &list)
        guard error == 0 else {
            let reason = unsafe String(cString: gai_strerror(error))
            throw HTTPServerError(description: "cannot listen on \(host): \(reason)")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            var address = SocketAddress()
            let info = unsafe entry.pointee
            unsafe address.length = info.ai_addrlen
            unsafe withUnsafeMutableBytes(of: &address.storage) { storage in
                unsafe storage.copyMemory(
                    from: UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
            }
            addresses.append(address)
            unsafe next = info.ai_next
        }
        return addresses
    }

    /// The listening descriptor, or minus the error number.
    mutating func listen(port: Int, sharesPort: Bool, backlog: Int) -> Int32 {
        unsafe freshet_set_port(&storage, Int32(port))
        let length = length
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe freshet_listen(address, length, sharesPort ? 1 : 0, Int32(backlog))
            }
        }
    }
}

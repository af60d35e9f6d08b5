internal import CMicrohttpd

/// The owner of libmicrohttpd's daemon: no thread, no listening socket and no timeouts of its own.
@safe
final class Daemon {
    private let handle: OpaquePointer
    /// Connections that it drives; the core counts them.
    var connectionCount = 0

    /// - Parameter core: Told of everything; must outlive the daemon.
    init(
        core: ServerCore, limits: HTTPLimits, tls: HTTPServer.TLS?
    ) throws(HTTPServerError) {
        var flags =
            MHD_USE_EPOLL.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
            | MHD_USE_NO_LISTEN_SOCKET.rawValue | MHD_USE_SUPPRESS_DATE_NO_CLOCK.rawValue
            | MHD_USE_ERROR_LOG.rawValue
        if tls == nil {
            // Reads a connection as soon as it has it, and closes it without a shutdown: what was
            // handed over to an event stream stays open.
            flags |= MHD_USE_TURBO.rawValue
        } else {
            flags |= MHD_USE_TLS.rawValue
        }
        let started = unsafe Self.start(core, limits, tls, flags)
        guard let handle = unsafe started else {
            throw HTTPServerError(
                description: tls == nil
                    ? "libmicrohttpd does not start"
                    : "libmicrohttpd does not start: the certificate or its key is not usable")
        }
        unsafe self.handle = handle
    }

    private static func start(
        _ core: ServerCore, _ limits: HTTPLimits, _ tls: HTTPServer.TLS?, _ flags: UInt32
    ) -> OpaquePointer? {
        var settings = unsafe freshet_mhd_settings()
        unsafe settings.flags = flags
        unsafe settings.context = Unmanaged.passUnretained(core).toOpaque()
        unsafe Callbacks.install(in: &settings)
        unsafe settings.pool_bytes = limits.poolBytes
        // The core keeps count; libmicrohttpd's own limit is never met.
        unsafe settings.connections = UInt32(limits.connections + limits.streams + 16)
        guard let tls else { return unsafe freshet_mhd_start(&settings) }
        return unsafe tls.certificateChain.withCString { certificate in
            unsafe tls.privateKey.withCString { key in
                unsafe settings.certificate = certificate
                unsafe settings.key = key
                return unsafe freshet_mhd_start(&settings)
            }
        }
    }

    /// Readable when there is something to run for.
    var epoll: Int32 { unsafe freshet_mhd_epoll(handle) }

    /// Does what can be done without waiting.
    func run() { _ = unsafe MHD_run(handle) }

    /// Whether `run` is wanted again at once.
    var isPending: Bool { unsafe freshet_mhd_is_pending(handle) != 0 }

    /// Hands over a socket, which is libmicrohttpd's from now on whatever comes of it.
    func add(_ descriptor: Int32, _ address: PeerAddress) -> Bool {
        var address = address
        let handle = unsafe handle
        return unsafe address.withAddress { address, length in
            unsafe MHD_add_connection(handle, descriptor, address, length) == .YES
        }
    }

    /// Closes everything. No connection may be suspended: the process would end.
    func stop() { unsafe MHD_stop_daemon(handle) }
}

internal import CMicrohttpd
internal import Runtime

/// The server on its loop: owns the daemon, the listeners and every connection, and carries requests
/// to the handler and replies back. Only on the loop's thread.
///
/// Nothing refers to it weakly: a weak reference to an object makes each of its reference counts
/// slower, and here that is paid for per request. `stop` lets go of what refers to it strongly.
@safe
final class ServerCore {
    let loop: EventLoop
    let limits: HTTPLimits
    let isTLS: Bool
    let handler: any HTTPHandler
    let renderProblem: @Sendable (HTTPProblem) -> HTTPResponse
    let metrics: ServerMetrics
    /// Drives new connections; `nil` before the start and after the end.
    var daemon: Daemon?
    /// Those of certificates before, with connections left.
    var retired: [Daemon] = []
    var listeners: [Listener] = []
    let connections = ConnectionTable()
    private(set) lazy var gate = HeadGate(core: self)
    private(set) lazy var streams = StreamTable(loop: loop, heartbeat: limits.streamHeartbeat)
    private(set) lazy var lingering = LingeringSockets(loop: loop)
    /// Starts a task for a request; set while the server runs.
    var startTask: ((HTTPExchange, @escaping (HTTPRequest) async -> HTTPReply) -> Void)?

    /// The loop's time; fresh at the beginning of each run of the daemon.
    private(set) var now = EventLoop.monotonicNanoseconds()
    var date = DateStamp()
    private var ids = RequestIDSource()
    /// The address of the connection being handed to the daemon.
    private var incoming: PeerAddress?
    private var hook: EventLoop.Hook?
    private var needsRun = false
    private var isRunScheduled = false
    private var isDriving = false
    /// Runs of the daemon that were wanted at once and came to nothing.
    private var vainRuns = 0
    /// Counts what the daemon tells of connections.
    var progress = 0
    /// The run in which libmicrohttpd sent a page of its own.
    var pageRun: UInt64 = 0
    var isStopping = false
    var drained: (() -> Void)?
    var suspended = 0
    private(set) var addresses: [String: Int] = [:]

    init(
        _ configuration: HTTPServer.Configuration, loop: EventLoop, handler: any HTTPHandler,
        problem: @escaping @Sendable (HTTPProblem) -> HTTPResponse
    ) {
        self.loop = loop
        limits = configuration.limits
        isTLS = configuration.tls != nil
        self.handler = handler
        renderProblem = problem
        metrics = ServerMetrics(configuration.metrics)
    }

    /// Starts the daemon and listens.
    func start(_ configuration: HTTPServer.Configuration) throws(HTTPServerError) -> Int {
        loop.checkIsolated()
        limits.check()
        date.refresh(now)
        let daemon = try Daemon(core: self, limits: limits, tls: configuration.tls)
        self.daemon = daemon
        do throws(HTTPServerError) {
            listeners = try Listener.open(configuration, core: self)
        } catch {
            self.daemon = nil
            daemon.stop()
            throw error
        }
        watch(daemon)
        hook = loop.addEndOfTurnHook(.resume) {
            if self.needsRun { self.drive() }
        }
        sweepLater()
        return listeners.first?.port ?? 0
    }

    /// Gives the daemon back; nothing is suspended any more.
    func stop() {
        guard let daemon else { return }
        if let hook { loop.removeEndOfTurnHook(hook) }
        self.daemon = nil
        for one in [daemon] + retired {
            loop.remove(one.epoll)
            one.stop()
        }
        retired = []
        gate.closeAll()
        lingering.closeAll()
        listeners = []
    }

    // MARK: running the daemon

    func watch(_ daemon: Daemon) {
        loop.add(daemon.epoll, [.read]) { _ in self.drive() }
    }

    /// Asks for a run of the daemon at the end of this turn.
    func setNeedsRun() { needsRun = true }

    /// Lets the daemon do what there is to do; goes on in the next turn when that is a lot, so that
    /// one client with a large body does not have the loop for itself.
    private func drive() {
        guard let daemon, !isDriving else { return }
        isDriving = true
        defer { isDriving = false }
        now = EventLoop.monotonicNanoseconds()
        date.refresh(now)
        var rounds = 0
        let before = progress
        repeat {
            needsRun = false
            daemon.run()
            rounds += 1
        } while rounds < 4 && (needsRun || daemon.isPending)
        if !retired.isEmpty { driveRetired() }
        vainRuns = daemon.isPending && progress == before ? vainRuns + 1 : 0
        if vainRuns >= Self.vainRunsMax {
            vainRuns = 0
            abandonStuck()
        }
        if needsRun || daemon.isPending { runNextTurn() }
    }

    private static let vainRunsMax = 64

    /// For the end, when nothing else is to happen in between.
    func runOnce() {
        isDriving = true
        defer { isDriving = false }
        needsRun = false
        daemon?.run()
        for one in retired { one.run() }
    }

    func runNextTurn() {
        guard !isRunScheduled else { return }
        isRunScheduled = true
        loop.schedule(after: .zero) {
            self.isRunScheduled = false
            self.needsRun = true
        }
    }

    // MARK: connections

    /// Hands a socket to the daemon.
    func adopt(_ descriptor: Int32, _ address: PeerAddress) {
        guard let daemon else { return closeSocket(descriptor) }
        incoming = address
        if daemon.add(descriptor, address) { setNeedsRun() }
        incoming = nil
    }

    func opened(_ handle: OpaquePointer) -> Connection {
        guard let address = incoming, let daemon else {
            preconditionFailure("a connection that the core did not hand over")
        }
        let connection = unsafe Connection(
            core: self, daemon: daemon, handle: handle,
            descriptor: freshet_mhd_descriptor(handle), address: address, at: now)
        daemon.connectionCount += 1
        progress += 1
        connections.add(connection)
        return connection
    }

    /// The socket is still open, for the last time.
    func closed(_ connection: Connection) {
        unwatch(connection)
        answerBeforeClosing(connection)
        connections.remove(connection)
        connection.daemon.connectionCount -= 1
        connection.exchange?.end()
        connection.exchange = nil
        if !connection.isHandedOver {
            addressLeft(connection.address)
            let hasUnread = freshet_unread(connection.descriptor) > 0
            if !isTLS && (connection.mustLinger || hasUnread) {
                lingering.take(duplicateOf: connection.descriptor)
            }
        }
        roomMade()
    }

    /// Sockets that count against the limit.
    var connectionCount: Int { connections.count + gate.count }

    /// Counts a connection of `address`; false when it has as many as one may have.
    func addressCame(_ address: PeerAddress) -> Bool {
        guard limits.connectionsPerAddress > 0 else { return true }
        let count = addresses[address.text, default: 0]
        if count >= limits.connectionsPerAddress { return false }
        addresses[address.text] = count + 1
        return true
    }

    func addressLeft(_ address: PeerAddress) {
        guard limits.connectionsPerAddress > 0, let count = addresses[address.text] else { return }
        addresses[address.text] = count > 1 ? count - 1 : nil
    }

    /// A connection has gone: one that waits in the kernel may come.
    func roomMade() {
        metrics.connections.set(connectionCount)
        for listener in listeners { listener.roomMade() }
        checkDrained()
    }

    func nextID() -> RequestID { .fresh(ids.next()) }

    func countSuspended(_ change: Int) { suspended += change }
}

/// All connections; adding and removing take no search.
final class ConnectionTable {
    private(set) var all: [Connection] = []

    var count: Int { all.count }

    func add(_ connection: Connection) {
        connection.index = all.count
        all.append(connection)
    }

    func remove(_ connection: Connection) {
        let last = all.removeLast()
        if last !== connection {
            all[connection.index] = last
            last.index = connection.index
        }
    }
}

/// Closes a socket that nobody else has.
func closeSocket(_ descriptor: Int32) { _ = close(descriptor) }

internal import CMicrohttpd

/// One connection that libmicrohttpd drives, and where its current request is.
///
///     idle ─ target read ─▶ head ─ header complete ─▶ body ─ all there ─▶ handling ─▶ responding ─▶ idle
///                                                                          │               ▲
///                                                                          └─▶ suspended ──┘
@safe
final class Connection {
    enum Phase {
        case idle, head, body, handling, suspended, responding
        /// Nothing more is to be read from it or written to it; libmicrohttpd is about to notice.
        case over
    }

    let core: ServerCore
    /// Who drives it: of the certificate that was there when it came.
    let daemon: Daemon
    /// `struct MHD_Connection *`; libmicrohttpd's, valid until it says the connection is closed.
    let handle: OpaquePointer
    let descriptor: Int32
    let address: PeerAddress
    /// Where it stands in the table of connections.
    var index = 0

    private(set) var phase = Phase.idle
    /// When the phase began, in nanoseconds of the monotonic clock.
    private(set) var since: UInt64
    var exchange: HTTPExchange?
    /// Bytes of complete heads and bodies that came through it; what was read beyond them belongs to
    /// a head that is not complete.
    var accountedBytes: UInt64 = 0
    var isAccountExact = true
    /// Bytes the client had acknowledged when the write deadline was last looked at.
    var acknowledgedBytes: UInt64 = 0
    /// Its bytes may still be coming when it is closed: close it so that the answer survives that.
    var mustLinger = false
    /// Watched by our own loop for the client's going.
    var isWatched = false
    /// The target of the current request is not one.
    var hasBlankTarget = false
    /// Where that lies in libmicrohttpd's memory.
    var targetPlace: Range<UInt> = 0..<0
    /// Woken, but libmicrohttpd has not come to it yet.
    var isResuming = false
    /// Its socket lives on as an event stream.
    var isHandedOver = false

    init(
        core: ServerCore, daemon: Daemon, handle: OpaquePointer, descriptor: Int32,
        address: PeerAddress, at now: UInt64
    ) {
        self.core = core
        self.daemon = daemon
        unsafe self.handle = handle
        self.descriptor = descriptor
        self.address = address
        since = now
    }

    lazy var remoteAddress: String = address.text

    func enter(_ phase: Phase) {
        self.phase = phase
        core.progress += 1
        since = core.now
    }

    /// A reply was given; when the connection waits for it, it is woken.
    func replyArrived() {
        if phase == .suspended { core.resume(self) }
    }
}

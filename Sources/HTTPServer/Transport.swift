internal import CMicrohttpd

/// Where bytes of our own are written to.
@safe
enum Transport {
    /// A socket of ours.
    case socket(Int32)
    /// A session of GnuTLS, which libmicrohttpd owns, and its socket.
    case tls(UnsafeMutableRawPointer, Int32)

    enum Outcome {
        case sent(Int)
        /// Try again when the socket is writable, with the same bytes.
        case full
        /// The connection is dead.
        case failed
    }

    /// That of a connection that libmicrohttpd leaves alone meanwhile.
    static func of(_ connection: Connection, isTLS: Bool) -> Transport {
        if isTLS, let session = unsafe freshet_mhd_tls_session(connection.handle) {
            return unsafe .tls(session, connection.descriptor)
        }
        return .socket(connection.descriptor)
    }

    var descriptor: Int32 {
        switch self {
        case .socket(let descriptor): descriptor
        case .tls(_, let descriptor): descriptor
        }
    }

    func send(_ bytes: Span<UInt8>) -> Outcome {
        if bytes.isEmpty { return .sent(0) }
        let count = unsafe bytes.withUnsafeBytes { buffer in
            switch self {
            case .socket(let descriptor):
                unsafe CMicrohttpd.send(
                    descriptor, buffer.baseAddress, buffer.count,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            case .tls(let session, _):
                unsafe gnutls_record_send(session, buffer.baseAddress, buffer.count)
            }
        }
        if count >= 0 { return .sent(count) }
        switch self {
        case .socket:
            let error = freshet_errno()
            return error == EAGAIN || error == EINTR ? .full : .failed
        case .tls:
            let isFull =
                count == Int(freshet_tls_again)
                || count == Int(freshet_tls_interrupted)
            return isFull ? .full : .failed
        }
    }
}

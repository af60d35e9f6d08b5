internal import CMicrohttpd
internal import Glibc

/// How the pieces of a body become what libmicrohttpd sends from.
enum ResponseBody {
    @unsafe
    struct Made {
        let handle: OpaquePointer
        let length: Int
        let ownedBytes: Int
    }

    /// Keeps what is sent from alive until libmicrohttpd lets go of the response: a slow reader may
    /// outlast the `PreparedResponse`.
    private final class Holder {
        let pieces: [SharedBytes]
        init(_ pieces: [SharedBytes]) { self.pieces = pieces }
    }

    static func make(_ body: [PreparedResponse.Piece]) -> Made {
        let length = body.reduce(0) { $0 + $1.count }
        let isSmall = length <= PreparedResponse.joinedBytesMax
        if length == 0 || (isSmall && body.count > 1) || length < 512 {
            return unsafe makeJoined(body, length)
        }
        return unsafe makeFromPieces(body, length)
    }

    /// One copy, owned by libmicrohttpd.
    private static func makeJoined(_ body: [PreparedResponse.Piece], _ length: Int) -> Made {
        guard let memory = unsafe malloc(max(length, 1)) else {
            preconditionFailure("out of memory")
        }
        var offset = 0
        for piece in body {
            let bytes = piece.array
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(
                    start: memory.advanced(by: offset), count: source.count
                ).copyMemory(from: source)
            }
            offset += bytes.count
        }
        guard
            let handle = unsafe MHD_create_response_from_buffer(
                length, memory, .RESPMEM_MUST_FREE)
        else { preconditionFailure("out of memory") }
        return unsafe Made(handle: handle, length: length, ownedBytes: length)
    }

    /// No copy.
    private static func makeFromPieces(_ body: [PreparedResponse.Piece], _ length: Int) -> Made {
        var pieces: [SharedBytes] = []
        var owned = 0
        var parts: [Range<Int>] = []
        for piece in body where piece.count > 0 {
            switch piece {
            case .shared(let shared):
                pieces.append(shared)
                parts.append(0..<shared.count)
            case .slice(let shared, let part):
                pieces.append(shared)
                parts.append(part)
            case .bytes(let bytes):
                pieces.append(SharedBytes(bytes))
                parts.append(0..<bytes.count)
                owned += bytes.count
            }
        }
        let vector = unsafe zip(pieces, parts).map { piece, part in
            unsafe MHD_IoVec(
                iov_base: piece.address?.advanced(by: part.lowerBound), iov_len: part.count)
        }
        let holder = unsafe Unmanaged.passRetained(Holder(pieces)).toOpaque()
        let made = unsafe vector.withUnsafeBufferPointer { vector in
            unsafe MHD_create_response_from_iovec(
                vector.baseAddress, UInt32(vector.count), releaseHolder, holder)
        }
        guard let handle = unsafe made else { preconditionFailure("out of memory") }
        return unsafe Made(handle: handle, length: length, ownedBytes: owned)
    }

    private static let releaseHolder: MHD_ContentReaderFreeCallback = { holder in
        guard let holder = unsafe holder else { return }
        unsafe Unmanaged<Holder>.fromOpaque(holder).release()
    }
}

extension PreparedResponse.Piece {
    var array: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .shared(let shared): shared.bytes
        case .slice(let shared, let part): Array(shared.bytes[part])
        }
    }

    var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .shared(let shared): shared.count
        case .slice(_, let part): part.count
        }
    }
}

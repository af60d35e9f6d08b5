internal import Codecs
internal import FreshetModel
internal import HTTPServer

/// The bytes of one version in one coding, ready to be sent alone or inside an envelope.
enum PayloadVariant: Sendable {
    case identity(SharedBytes)
    /// Deflate blocks without an end; see `GzipSplice`.
    case gzip(SharedBytes, GzipSplice)
    /// A whole frame, cut before and after the header of its last block; see `ZstdSplice`.
    case zstd(ZstdParts)

    /// A frame in pieces that are sent one after the other.
    struct ZstdParts: Sendable {
        var splice: ZstdSplice
        /// Frame header, for sending it alone.
        var frameHeader: [UInt8]
        /// Blocks but for the last.
        var leading: SharedBytes
        /// Header of the last block as it was.
        var lastHeader: [UInt8]
        var lastContent: SharedBytes
        /// Checksum of the frame, when it has one.
        var checksum: [UInt8]
    }

    var encoding: PayloadEncoding {
        switch self {
        case .identity: .identity
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }

    /// Bytes of memory it holds.
    var byteCount: Int {
        switch self {
        case .identity(let bytes): bytes.count
        case .gzip(let bytes, _): bytes.count
        case .zstd(let parts): parts.leading.count + parts.lastContent.count
        }
    }

    /// The body of a raw answer.
    var body: [PreparedResponse.Piece] {
        switch self {
        case .identity(let bytes): return [.shared(bytes)]
        case .gzip(let blocks, let splice):
            return [
                .bytes(splice.opening([])), .shared(blocks), .bytes(splice.closing([], after: [])),
            ]
        case .zstd(let parts):
            return [
                .bytes(parts.frameHeader), .shared(parts.leading), .bytes(parts.lastHeader),
                .shared(parts.lastContent), .bytes(parts.checksum),
            ]
        }
    }

    /// The body of an answer with `envelope` around the payload.
    func body(in envelope: Envelope) -> [PreparedResponse.Piece] {
        let head = envelope.head
        let tail = envelope.tail
        switch self {
        case .identity(let bytes): return [.bytes(head), .shared(bytes), .bytes(tail)]
        case .gzip(let blocks, let splice):
            return [
                .bytes(splice.opening(head)), .shared(blocks),
                .bytes(splice.closing(tail, after: head)),
            ]
        case .zstd(let parts):
            return [
                .bytes(parts.splice.opening(head)), .shared(parts.leading),
                .bytes(parts.splice.lastHeader), .shared(parts.lastContent),
                .bytes(parts.splice.closing(tail)),
            ]
        }
    }
}

/// Makes variants. Pure work on bytes, which may take long: 81 MB are 100 ms and more.
enum PayloadCoding {
    /// Bytes that are coded on the loop's own thread: at most about a millisecond's work.
    static let quickBytes = 64 << 10

    /// Above this, clients do not wait for a coding, and gzip is told to hurry.
    static let hugeBytes = 16 << 20

    /// The bytes as the source produced them.
    ///
    /// - Parameter sizeBytes: What they are said to be; more is refused, so that a payload changed
    ///   in the store cannot fill the memory.
    static func identity(
        _ stored: [UInt8], _ encoding: PayloadEncoding, sizeBytes: Int
    ) throws(CodecError) -> [UInt8] {
        switch encoding {
        case .identity: return stored
        case .gzip:
            return try Compression.decompress(
                stored, .gzip, maximumBytes: max(sizeBytes, 1), maximumRatio: .max)
        case .zstd:
            return try Compression.decompress(
                stored, .zstd, maximumBytes: max(sizeBytes, 1), maximumRatio: .max)
        }
    }

    /// A variant of unencoded `bytes`.
    static func variant(
        _ bytes: SharedBytes, _ encoding: PayloadEncoding
    ) throws(CodecError) -> PayloadVariant {
        switch encoding {
        case .identity: return .identity(bytes)
        case .gzip: return try gzip(bytes.bytes)
        case .zstd:
            guard let variant = zstd(try Compression.compress(bytes.bytes, .zstd)) else {
                throw .malformed("zstd")
            }
            return variant
        }
    }

    /// The variant that stored zstd bytes are already; `nil` when they are more than one frame.
    static func zstd(_ frame: [UInt8]) -> PayloadVariant? {
        guard let splice = ZstdSplice(frame) else { return nil }
        let lastStart = splice.leading.upperBound
        return .zstd(
            PayloadVariant.ZstdParts(
                splice: splice,
                frameHeader: Array(frame[..<splice.leading.lowerBound]),
                leading: SharedBytes(Array(frame[splice.leading])),
                lastHeader: Array(frame[lastStart..<(lastStart + 3)]),
                lastContent: SharedBytes(Array(frame[splice.lastContent])),
                checksum: Array(frame[splice.lastContent.upperBound...])))
    }

    private static func gzip(_ bytes: [UInt8]) throws(CodecError) -> PayloadVariant {
        let compressor = try Compressor(.gzip, level: bytes.count > hugeBytes ? 1 : nil)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4 + 1024)
        try compressor.write(bytes.span, into: &output)
        try compressor.flush(into: &output)
        let end = output.count
        try compressor.finish(into: &output)
        // RFC 1952: a header of 10 bytes without optional fields; checksum and length at the end.
        let checksum = output[(output.count - 8)..<(output.count - 4)].reversed()
            .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return .gzip(
            SharedBytes(Array(output[10..<end])),
            GzipSplice(checksum: checksum, length: bytes.count))
    }

    /// Whether compressing bytes of `contentType` makes them smaller.
    static func isCompressible(_ contentType: String) -> Bool {
        let essence = contentType.prefix { $0 != ";" }.lowercased()
        if essence.hasPrefix("text/") || MediaType.isJSON(essence) { return true }
        let suffixes = ["+xml", "/xml", "/javascript", "/wasm", "/x-ndjson", "/jsonl", "/csv"]
        return suffixes.contains(where: essence.hasSuffix)
    }
}

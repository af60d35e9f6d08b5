internal import Codecs
internal import FreshetModel
internal import HTTPServer

/// The bytes of one version in one coding, ready to be sent alone or inside an envelope.
enum PayloadVariant: Sendable {
    case identity(SharedBytes)
    /// Deflate blocks without an end; see `GzipSplice`.
    case gzip(SharedBytes, GzipSplice)
    /// A whole frame; see `ZstdSplice`.
    case zstd(SharedBytes, ZstdSplice)

    var encoding: PayloadEncoding {
        switch self {
        case .identity: .identity
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }

    /// What it holds of memory.
    var bytes: SharedBytes {
        switch self {
        case .identity(let bytes), .gzip(let bytes, _), .zstd(let bytes, _): bytes
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
        case .zstd(let frame, _): return [.shared(frame)]
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
        case .zstd(let frame, let splice):
            return [
                .bytes(splice.opening(head)), .slice(frame, splice.leading),
                .bytes(splice.lastHeader), .slice(frame, splice.lastContent),
                .bytes(splice.closing(tail)),
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
            let frame = SharedBytes(try Compression.compress(bytes.bytes, .zstd))
            guard let splice = ZstdSplice(frame.bytes) else { throw .malformed("zstd") }
            return .zstd(frame, splice)
        }
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

internal import CZstd

/// libzstd's compressor; frames carry a checksum.
@safe
final class ZstandardEncoder {
    private let context: OpaquePointer
    private let chunk = OutputChunk()

    init(level: Int) throws(CodecError) {
        guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory }
        unsafe self.context = context
        let clamped = Int32(min(19, max(1, level)))
        _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, clamped)
        _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { _ = unsafe ZSTD_freeCCtx(context) }

    func write(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(CodecError) {
        try run(bytes, ZSTD_e_continue, into: &output)
    }

    func flush(into output: inout [UInt8]) throws(CodecError) {
        try run(Span<UInt8>(), ZSTD_e_flush, into: &output)
    }

    func finish(into output: inout [UInt8]) throws(CodecError) {
        try run(Span<UInt8>(), ZSTD_e_end, into: &output)
    }

    private func run(
        _ bytes: Span<UInt8>, _ directive: ZSTD_EndDirective, into output: inout [UInt8]
    ) throws(CodecError) {
        let isGood = unsafe bytes.withUnsafeBufferPointer { piece -> Bool in
            var input = unsafe ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
            while true {
                var room = unsafe ZSTD_outBuffer(dst: chunk.base, size: chunk.capacity, pos: 0)
                let left = unsafe ZSTD_compressStream2(context, &room, &input, directive)
                if ZSTD_isError(left) != 0 { return false }
                unsafe chunk.append(room.pos, to: &output)
                let isDone =
                    directive == ZSTD_e_continue ? unsafe input.pos == input.size : left == 0
                if isDone { return true }
            }
        }
        guard isGood else { throw .malformed("zstd") }
    }
}

/// libzstd's decompressor; a stream may have several frames (RFC 8878 section 3).
@safe
final class ZstandardDecoder {
    /// A frame may ask for a window of up to 2^27 bytes, which is what `zstd` itself allows.
    private static let largestWindowLog: Int32 = 27

    private let context: OpaquePointer
    private let chunk = OutputChunk()
    /// A frame ended and nothing came after it.
    private(set) var isComplete = false

    init() throws(CodecError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory }
        unsafe self.context = context
        _ = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.largestWindowLog)
    }

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    func write(
        _ bytes: Span<UInt8>, into output: inout [UInt8], _ allowance: inout OutputAllowance
    ) throws(CodecError) {
        var at = 0
        var mayHavePending = true
        while at < bytes.count || mayHavePending {
            let rest = bytes.extracting(at..<bytes.count)
            var consumed = 0
            var produced = 0
            let hint = unsafe rest.withUnsafeBufferPointer { piece -> Int in
                var input = unsafe ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
                var room = unsafe ZSTD_outBuffer(dst: chunk.base, size: chunk.capacity, pos: 0)
                let hint = unsafe ZSTD_decompressStream(context, &room, &input)
                consumed = unsafe input.pos
                produced = unsafe room.pos
                return hint
            }
            guard ZSTD_isError(hint) == 0 else { throw .malformed("zstd") }
            at += consumed
            try allowance.count(consumed: consumed, produced: produced)
            chunk.append(produced, to: &output)
            if consumed > 0 || produced > 0 { isComplete = hint == 0 }
            mayHavePending = produced == chunk.capacity
            if consumed == 0, produced == 0 { break }
        }
    }
}

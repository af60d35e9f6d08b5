internal import CZlib

/// The wrapper around a deflate stream.
enum DeflateFormat {
    case gzip
    case zlib
}

/// zlib's compressor.
@safe
final class DeflateEncoder {
    private let stream: UnsafeMutablePointer<z_stream>
    private let chunk = OutputChunk()

    init(level: Int, format: DeflateFormat) throws(CodecError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe freshet_deflate_init(
            stream, Int32(min(9, max(1, level))), format == .gzip ? 31 : 15)
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        _ = unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    func write(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(CodecError) {
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, at + 1 << 30)
            try run(bytes.extracting(at..<end), Z_NO_FLUSH, into: &output)
            at = end
        }
    }

    func flush(into output: inout [UInt8]) throws(CodecError) {
        try run(Span<UInt8>(), Z_SYNC_FLUSH, into: &output)
    }

    func finish(into output: inout [UInt8]) throws(CodecError) {
        try run(Span<UInt8>(), Z_FINISH, into: &output)
    }

    private func run(
        _ bytes: Span<UInt8>, _ flush: Int32, into output: inout [UInt8]
    ) throws(CodecError) {
        let status = unsafe bytes.withUnsafeBufferPointer { input -> Int32 in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            while true {
                unsafe stream.pointee.next_out = chunk.base
                unsafe stream.pointee.avail_out = UInt32(chunk.capacity)
                let status = unsafe deflate(stream, flush)
                let room = unsafe Int(stream.pointee.avail_out)
                chunk.append(chunk.capacity - room, to: &output)
                guard status == Z_OK || status == Z_BUF_ERROR else { return status }
                // Room left over: all input is taken and, unless ending, nothing is pending.
                if room > 0 { return flush == Z_FINISH ? Z_BUF_ERROR : Z_OK }
            }
        }
        unsafe stream.pointee.next_in = nil
        guard status == Z_OK || status == Z_STREAM_END else { throw .malformed("deflate") }
    }
}

/// zlib's decompressor; a gzip stream may have several members (RFC 1952 section 2.2).
@safe
final class InflateDecoder {
    private let stream: UnsafeMutablePointer<z_stream>
    private let chunk = OutputChunk()
    private let format: DeflateFormat
    /// A member ended and nothing came after it.
    private(set) var isComplete = false

    init(format: DeflateFormat) throws(CodecError) {
        self.format = format
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe freshet_inflate_init(stream, format == .gzip ? 31 : 15) == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func write(
        _ bytes: Span<UInt8>, into output: inout [UInt8], _ allowance: inout OutputAllowance
    ) throws(CodecError) {
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, at + 1 << 30)
            try run(bytes.extracting(at..<end), into: &output, &allowance)
            at = end
        }
    }

    private func run(
        _ bytes: Span<UInt8>, into output: inout [UInt8], _ allowance: inout OutputAllowance
    ) throws(CodecError) {
        var at = 0
        var mayHavePending = false
        while at < bytes.count || mayHavePending {
            if isComplete {
                guard format == .gzip, unsafe inflateReset(stream) == Z_OK else {
                    throw .malformed("deflate")
                }
                isComplete = false
            }
            let rest = bytes.extracting(at..<bytes.count)
            let status = unsafe rest.withUnsafeBufferPointer { input -> Int32 in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = chunk.base
                unsafe stream.pointee.avail_out = UInt32(chunk.capacity)
                return unsafe inflate(stream, Z_NO_FLUSH)
            }
            let consumed = unsafe rest.count - Int(stream.pointee.avail_in)
            let produced = unsafe chunk.capacity - Int(stream.pointee.avail_out)
            unsafe stream.pointee.next_in = nil
            at += consumed
            try allowance.count(consumed: consumed, produced: produced)
            chunk.append(produced, to: &output)
            mayHavePending = produced == chunk.capacity && status != Z_STREAM_END
            switch status {
            case Z_STREAM_END: isComplete = true
            case Z_OK: break
            case Z_BUF_ERROR: if consumed == 0, produced == 0 { return }
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw .malformed(format == .gzip ? "gzip" : "deflate")
            }
        }
    }
}

/// A reused piece of memory that a library writes its output to.
@safe
final class OutputChunk {
    let capacity = 128 << 10
    let base: UnsafeMutablePointer<UInt8>

    init() { unsafe base = .allocate(capacity: 128 << 10) }
    deinit { unsafe base.deallocate() }

    func append(_ count: Int, to output: inout [UInt8]) {
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
    }
}

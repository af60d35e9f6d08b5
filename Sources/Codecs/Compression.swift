/// Compression of payloads.
///
/// The one-shot calls are for payloads that are in memory anyway; `Compressor` and `Decompressor`
/// take input piece by piece and hold no more than a window of it.
package enum Compression {
    /// A content coding.
    package enum Encoding: String, Sendable, CaseIterable {
        /// RFC 1952.
        case gzip
        /// RFC 1950, which HTTP calls `deflate`.
        case deflate
        /// RFC 8878.
        case zstd

        /// A level that is quick for its gain: one payload is compressed once and served often, but
        /// the worker that does it has other jobs.
        package var usualLevel: Int {
            switch self {
            case .gzip, .deflate: 6
            case .zstd: 3
            }
        }
    }

    /// Output above this share of the input is a bomb; real payloads stay below 250.
    package static let usualMaximumRatio = 400
    /// Up to this many bytes of output the ratio is not looked at.
    package static let ratioFloor = 1 << 20

    /// Compresses `bytes` whole.
    /// - Parameter level: 1 ... 9 for gzip and deflate, 1 ... 19 for zstd; out of range is clamped.
    package static func compress(
        _ bytes: [UInt8], _ encoding: Encoding, level: Int? = nil
    ) throws(CodecError) -> [UInt8] {
        let compressor = try Compressor(encoding, level: level)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4 + 1024)
        try compressor.write(bytes.span, into: &output)
        try compressor.finish(into: &output)
        return output
    }

    /// Decompresses `bytes` whole, to at most `maximumBytes`.
    package static func decompress(
        _ bytes: [UInt8], _ encoding: Encoding, maximumBytes: Int,
        maximumRatio: Int = usualMaximumRatio
    ) throws(CodecError) -> [UInt8] {
        let decompressor = try Decompressor(
            encoding, maximumBytes: maximumBytes, maximumRatio: maximumRatio)
        var output: [UInt8] = []
        try decompressor.write(bytes.span, into: &output)
        try decompressor.finish()
        return output
    }
}

/// Compresses a stream of bytes.
@safe
package final class Compressor {
    private enum Engine {
        case deflate(DeflateEncoder)
        case zstd(ZstandardEncoder)
    }
    private let engine: Engine

    /// A stream in `encoding`; without a level the encoding's usual one.
    package init(_ encoding: Compression.Encoding, level: Int? = nil) throws(CodecError) {
        let level = level ?? encoding.usualLevel
        switch encoding {
        case .gzip: engine = .deflate(try DeflateEncoder(level: level, format: .gzip))
        case .deflate: engine = .deflate(try DeflateEncoder(level: level, format: .zlib))
        case .zstd: engine = .zstd(try ZstandardEncoder(level: level))
        }
    }

    /// Takes the next bytes and appends what is ready to `output`.
    package func write(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(CodecError) {
        switch engine {
        case .deflate(let encoder): try encoder.write(bytes, into: &output)
        case .zstd(let encoder): try encoder.write(bytes, into: &output)
        }
    }

    /// Appends all that was taken so far to `output`; it ends on a byte, at the end of a block.
    package func flush(into output: inout [UInt8]) throws(CodecError) {
        switch engine {
        case .deflate(let encoder): try encoder.flush(into: &output)
        case .zstd(let encoder): try encoder.flush(into: &output)
        }
    }

    /// Ends the stream and appends the rest to `output`. To be called once, last.
    package func finish(into output: inout [UInt8]) throws(CodecError) {
        switch engine {
        case .deflate(let encoder): try encoder.finish(into: &output)
        case .zstd(let encoder): try encoder.finish(into: &output)
        }
    }
}

/// Decompresses a stream of bytes within a bound and a ratio.
@safe
package final class Decompressor {
    private enum Engine {
        case inflate(InflateDecoder)
        case zstd(ZstandardDecoder)
    }
    private let engine: Engine
    private var allowance: OutputAllowance

    /// A stream in `encoding` that may become at most `maximumBytes` long.
    package init(
        _ encoding: Compression.Encoding, maximumBytes: Int,
        maximumRatio: Int = Compression.usualMaximumRatio
    ) throws(CodecError) {
        allowance = OutputAllowance(maximumBytes: maximumBytes, maximumRatio: maximumRatio)
        switch encoding {
        case .gzip: engine = .inflate(try InflateDecoder(format: .gzip))
        case .deflate: engine = .inflate(try InflateDecoder(format: .zlib))
        case .zstd: engine = .zstd(try ZstandardDecoder())
        }
    }

    /// Takes the next bytes and appends what they decompress to.
    package func write(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(CodecError) {
        switch engine {
        case .inflate(let decoder): try decoder.write(bytes, into: &output, &allowance)
        case .zstd(let decoder): try decoder.write(bytes, into: &output, &allowance)
        }
    }

    /// Checks that the stream is complete. To be called once, last.
    package func finish() throws(CodecError) {
        let isComplete =
            switch engine {
            case .inflate(let decoder): decoder.isComplete
            case .zstd(let decoder): decoder.isComplete
            }
        guard isComplete else { throw .malformed("truncated") }
    }
}

/// What a decompressor may still produce.
struct OutputAllowance {
    let maximumBytes: Int
    let maximumRatio: Int
    private var consumed = 0
    private var produced = 0

    init(maximumBytes: Int, maximumRatio: Int) {
        self.maximumBytes = maximumBytes
        self.maximumRatio = maximumRatio
    }

    mutating func count(consumed more: Int, produced new: Int) throws(CodecError) {
        consumed += more
        produced += new
        guard produced <= maximumBytes else { throw .tooLarge(maximumBytes: maximumBytes) }
        guard produced <= Compression.ratioFloor || produced / maximumRatio <= consumed else {
            throw .ratio(maximum: maximumRatio)
        }
    }
}

import Codecs
import Testing

@Suite("Compression")
struct CompressionTests {
    static func sample(_ count: Int) -> [UInt8] {
        var state: UInt64 = 42
        return (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return index % 3 == 0 ? UInt8(truncatingIfNeeded: state >> 33) : UInt8(index & 15)
        }
    }

    @Test("what was compressed comes back", arguments: Compression.Encoding.allCases)
    func roundTrip(encoding: Compression.Encoding) throws {
        for count in [0, 1, 100, 131_072, 400_000] {
            let bytes = Self.sample(count)
            for level in [nil, 1, 9, 99, -5] {
                let packed = try Compression.compress(bytes, encoding, level: level)
                let unpacked = try Compression.decompress(
                    packed, encoding, maximumBytes: count)
                #expect(unpacked == bytes)
            }
        }
    }

    @Test("a stream may be fed in pieces of any size", arguments: Compression.Encoding.allCases)
    func pieces(encoding: Compression.Encoding) throws {
        let bytes = Self.sample(50_000)
        for step in [1, 7, 4096] {
            let compressor = try Compressor(encoding)
            var packed: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                let piece = Array(bytes[start..<min(bytes.count, start + step)])
                try compressor.write(piece.span, into: &packed)
            }
            try compressor.finish(into: &packed)
            let decompressor = try Decompressor(encoding, maximumBytes: 50_000)
            var unpacked: [UInt8] = []
            for start in stride(from: 0, to: packed.count, by: step) {
                let piece = Array(packed[start..<min(packed.count, start + step)])
                try decompressor.write(piece.span, into: &unpacked)
            }
            try decompressor.finish()
            #expect(unpacked == bytes)
        }
    }

    @Test("output past the bound is an error", arguments: Compression.Encoding.allCases)
    func bound(encoding: Compression.Encoding) throws {
        let packed = try Compression.compress(Self.sample(10_000), encoding)
        #expect(throws: CodecError.tooLarge(maximumBytes: 9_999)) {
            try Compression.decompress(packed, encoding, maximumBytes: 9_999)
        }
    }

    @Test("a bomb is refused by its ratio", arguments: Compression.Encoding.allCases)
    func bomb(encoding: Compression.Encoding) throws {
        let packed = try Compression.compress([UInt8](repeating: 0, count: 8 << 20), encoding)
        #expect(throws: CodecError.ratio(maximum: 400)) {
            try Compression.decompress(packed, encoding, maximumBytes: 1 << 30)
        }
    }

    @Test("truncated input is an error at every length", arguments: Compression.Encoding.allCases)
    func truncated(encoding: Compression.Encoding) throws {
        let packed = try Compression.compress(Self.sample(300), encoding)
        for count in 0..<packed.count {
            #expect(throws: CodecError.self) {
                try Compression.decompress(
                    Array(packed.prefix(count)), encoding, maximumBytes: 300)
            }
        }
    }

    @Test("flipped bytes end in an error or other bytes, never a trap")
    func corrupted() throws {
        for encoding in Compression.Encoding.allCases {
            let packed = try Compression.compress(Self.sample(500), encoding)
            for index in packed.indices {
                var broken = packed
                broken[index] ^= 0x55
                _ = try? Compression.decompress(broken, encoding, maximumBytes: 1 << 20)
            }
        }
    }

    @Test("several gzip members and several zstd frames are one stream")
    func concatenated() throws {
        for encoding in [Compression.Encoding.gzip, .zstd] {
            let first = try Compression.compress(Array("one,".utf8), encoding)
            let second = try Compression.compress(Array("two".utf8), encoding)
            let whole = try Compression.decompress(first + second, encoding, maximumBytes: 100)
            #expect(whole == Array("one,two".utf8))
        }
    }

    @Test("garbage after the end is an error", arguments: Compression.Encoding.allCases)
    func trailing(encoding: Compression.Encoding) throws {
        let packed = try Compression.compress(Array("payload".utf8), encoding) + [1, 2, 3, 4, 5]
        #expect(throws: CodecError.self) {
            try Compression.decompress(packed, encoding, maximumBytes: 100)
        }
    }
}

import Codecs
import FreshetModel
import Testing

@testable import API

@Suite("codings of payloads", .serialized)
struct CodingTests {
    /// A JSON array of about `bytes` bytes.
    static func text(_ bytes: Int) -> String {
        let item = "{\"title\":\"Number of some length, which repeats\",\"year\":1984}"
        let count = max(1, bytes / (item.utf8.count + 1))
        return "[" + Array(repeating: item, count: count).joined(separator: ",") + "]"
    }

    static func decode(_ response: WireResponse) throws -> [UInt8] {
        guard let coding = response.field("Content-Encoding") else { return response.body }
        let encoding = try #require(Compression.Encoding(rawValue: coding))
        return try Compression.decompress(
            response.body, encoding, maximumBytes: 1 << 28, maximumRatio: .max)
    }

    @Test(
        "every stored coding is served in every coding, in both forms",
        arguments: PayloadEncoding.allCases, [1_000, 40_000, 300_000])
    func matrix(stored: PayloadEncoding, bytes: Int) async throws {
        try await APIFixture.run { api in
            let json = Self.text(bytes)
            let text = Array(json.utf8)
            try await api.keep("cinema", json, encoding: stored)
            try await api.keep("films", json, encoding: stored)
            for coding in ["identity", "gzip", "zstd", "gzip;q=0.5, zstd;q=0.9", "br"] {
                let envelope = try await api.get("/api/cinema", ["Accept-Encoding": coding])
                let whole = try Self.decode(envelope)
                let head = Array("{\"status\":\"success\",\"items\":".utf8)
                let isWhole =
                    whole.starts(with: head + text)
                    && whole.dropFirst(head.count + text.count)
                        .starts(with: ",\"count\":".utf8)
                #expect(isWhole, "\(coding)")
                #expect(whole.last == UInt8(ascii: "}"))
                let raw = try await api.get("/v1/resources/films", ["Accept-Encoding": coding])
                let isSame = try Self.decode(raw) == text
                #expect(isSame, "\(coding)")
                let expected: String? =
                    switch coding {
                    case "gzip": "gzip"
                    case "zstd", "gzip;q=0.5, zstd;q=0.9": "zstd"
                    default: nil
                    }
                #expect(envelope.field("Content-Encoding") == expected, "\(coding)")
                #expect(raw.field("Content-Encoding") == expected, "\(coding)")
                #expect(raw.field("Vary") == "Accept-Encoding")
                if let expected {
                    #expect(raw.body.count < bytes / 2)
                    #expect(raw.field("ETag")?.hasSuffix("-\(expected)\"") == true)
                    let again = try await api.get(
                        "/v1/resources/films",
                        ["Accept-Encoding": coding, "If-None-Match": raw.field("ETag") ?? ""])
                    #expect(again.status == 304)
                }
            }
        }
    }

    @Test("a zstd envelope is one frame, a gzip envelope one member")
    func oneStream() throws {
        let text = Array(Self.text(300_000).utf8)
        let envelope = (head: Array("{\"items\":".utf8), tail: Array(",\"a\":1}".utf8))
        let frame = try Compression.compress(text, .zstd)
        let splice = try #require(ZstdSplice(frame))
        let spliced =
            splice.opening(envelope.head) + frame[splice.leading] + splice.lastHeader
            + frame[splice.lastContent] + splice.closing(envelope.tail)
        let whole = try Compression.decompress(
            spliced, .zstd, maximumBytes: 1 << 20, maximumRatio: .max)
        #expect(whole == envelope.head + text + envelope.tail)
        // Read again as a frame it has no second one behind it.
        #expect(ZstdSplice(spliced) != nil)
    }

    @Test("head and tail longer than a block are spliced in several")
    func longHead() throws {
        let text = Array(Self.text(3_000).utf8)
        let frame = try Compression.compress(text, .zstd)
        let splice = try #require(ZstdSplice(frame))
        let head = [UInt8](repeating: 0x20, count: 5000)
        let tail = [UInt8](repeating: 0x0A, count: 2048)
        let spliced =
            splice.opening(head) + frame[splice.leading] + splice.lastHeader
            + frame[splice.lastContent] + splice.closing(tail)
        let whole = try Compression.decompress(
            spliced, .zstd, maximumBytes: 1 << 20, maximumRatio: .max)
        #expect(whole == head + text + tail)
    }

    @Test("bytes that are not one frame are not spliced")
    func notAFrame() throws {
        let frame = try Compression.compress(Array("abcabcabc".utf8), .zstd)
        #expect(ZstdSplice(frame + frame) == nil)
        #expect(ZstdSplice(Array(frame.dropLast())) == nil)
        #expect(ZstdSplice([]) == nil)
        #expect(ZstdSplice(Array("not a frame at all".utf8)) == nil)
    }

    @Test("checksums of parts make the checksum of the whole")
    func checksums() {
        let first = Array("123456789".utf8)
        #expect(CRC32.sum(first) == 0xCBF4_3926)
        for count in [0, 1, 7, 256, 5000] {
            let second = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(
                CRC32.combine(CRC32.sum(first), CRC32.sum(second), count: count)
                    == CRC32.sum(first + second))
        }
    }
}

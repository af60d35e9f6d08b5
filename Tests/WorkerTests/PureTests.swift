import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Testing

@testable import Worker

@Suite("Partition rotation")
struct PartitionRotationTests {
    @Test("each round begins one partition further")
    func rounds() {
        var rotation = PartitionRotation(count: 3)
        #expect(rotation.round() == [0, 1, 2])
        #expect(rotation.round() == [1, 2, 0])
        #expect(rotation.round() == [2, 0, 1])
        #expect(rotation.round() == [0, 1, 2])
    }

    @Test("a slot stays in the only partition, and leaves one of several after a while")
    func chains() {
        #expect(PartitionRotation.mayChain(after: 1_000_000, partitions: 1))
        #expect(PartitionRotation.mayChain(after: 1, partitions: 2))
        #expect(!PartitionRotation.mayChain(after: PartitionRotation.chainLimit, partitions: 2))
    }
}

@Suite("Payload preparation")
struct PayloadPreparationTests {
    private func prepared(_ payload: Payload) throws -> Payload {
        guard case .payload(let result) = try PayloadPreparation.prepare(.payload(payload)) else {
            throw SourceError("no payload")
        }
        return result
    }

    @Test("an array is counted, tagged and left alone when small")
    func small() throws {
        let payload = try prepared(
            Payload(bytes: Array("[1, {\"a\": []}, \"x\"]".utf8), contentType: "application/json"))
        #expect(payload.facts.itemCount == 3)
        #expect(payload.facts.sizeBytes == 19)
        #expect(!payload.facts.contentTag.isEmpty)
        #expect(payload.encoding == .identity)
    }

    @Test("an object has no item count")
    func object() throws {
        let payload = try prepared(
            Payload(bytes: Array("{}".utf8), contentType: "application/vnd.x+json"))
        #expect(payload.facts.itemCount == nil)
    }

    @Test("what is declared JSON and is not fails", arguments: ["", "[1,", "nope", "[1] 2"])
    func notJSON(text: String) {
        #expect(throws: SourceError.self) {
            try prepared(Payload(bytes: Array(text.utf8), contentType: "application/json"))
        }
    }

    @Test("a large text is compressed, and comes back as it was")
    func large() throws {
        let text = (0..<40_000).map { "{\"id\":\($0),\"name\":\"record \($0)\"}" }
        let bytes = Array(("[" + text.joined(separator: ",") + "]").utf8)
        let payload = try prepared(Payload(bytes: bytes, contentType: "application/json"))
        #expect(payload.encoding == .zstd)
        #expect(payload.bytes.count < bytes.count / 4)
        #expect(payload.facts.sizeBytes == bytes.count)
        #expect(payload.facts.itemCount == 40_000)
        #expect(PayloadPreparation.decoded(payload.bytes, metadata(payload)) == bytes)
    }

    @Test("a payload of zeros comes back, although no bomb could be worse")
    func zeros() throws {
        let bytes = [UInt8](repeating: 0, count: 20 << 20)
        let payload = try prepared(
            Payload(bytes: bytes, contentType: "application/octet-stream"))
        #expect(payload.bytes.count < 10_000)
        #expect(PayloadPreparation.decoded(payload.bytes, metadata(payload)) == bytes)
    }

    @Test("what does not shrink stays as it is", arguments: [5_000, 500_000])
    func incompressible(count: Int) throws {
        let bytes = noise(count)
        let payload = try prepared(
            Payload(bytes: bytes, contentType: "application/octet-stream"))
        #expect(payload.encoding == .identity && payload.bytes == bytes)
    }

    @Test("media types that are compressed by themselves are not tried")
    func mediaTypes() {
        for type in ["image/png", "video/mp4", "application/zip", "font/woff2", "Image/JPEG; x=1"] {
            #expect(!CompressionChoice.mayShrink(type), "\(type)")
        }
        for type in ["text/html; charset=utf-8", "application/json", "image/svg+xml", "odd"] {
            #expect(CompressionChoice.mayShrink(type), "\(type)")
        }
    }

    @Test("damaged bytes are no previous payload")
    func damaged() throws {
        var payload = try prepared(
            Payload(bytes: Array(repeating: 65, count: 5000), contentType: "text/plain"))
        payload.bytes.removeLast()
        #expect(PayloadPreparation.decoded(payload.bytes, metadata(payload)) == nil)
    }

    /// Bytes without a pattern: a linear congruential generator's upper ones.
    private func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 42
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    private func metadata(_ payload: Payload) -> PayloadMetadata {
        let now = Timestamp(milliseconds: 1)
        return PayloadMetadata(
            version: 1, contentType: payload.contentType, encoding: payload.encoding,
            storedBytes: payload.bytes.count, facts: payload.facts, refreshedAt: now,
            modifiedAt: now, freshUntil: nil, keptUntil: nil)
    }
}

@Suite("Freshness with jitter")
struct FreshnessTests {
    private func served(_ change: (inout Resource) -> Void) -> ServedResource {
        ServedResource(Fixtures.resource("r", change), source: ClosureSource { _ in .notModified })
    }

    @Test("jitter moves the duration by its share to either side")
    func jitter() {
        let served = served {
            $0.freshness.freshFor = .duration(.seconds(100))
            $0.freshness.jitter = 0.1
        }
        for (random, expected) in [(0, 90_000), (0.5, 100_000), (1, 110_000)] {
            guard case .duration(let duration) = served.freshFor(random: { random }) else {
                Issue.record("not a duration")
                continue
            }
            #expect(duration.milliseconds == expected)
        }
    }

    @Test("jitter does not move the end of freshness past the end of keeping")
    func keeping() {
        let served = served {
            $0.freshness.freshFor = .duration(.seconds(100))
            $0.freshness.keepFor = .seconds(105)
            $0.freshness.jitter = 0.1
        }
        #expect(served.freshFor { 1 } == .duration(.seconds(105)))
    }

    @Test("never and always have no jitter")
    func constant() {
        let served = served {
            $0.freshness.freshFor = .never
            $0.freshness.jitter = 0.5
        }
        #expect(served.freshFor { 0 } == .never)
    }
}

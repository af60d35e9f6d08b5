internal import Codecs
internal import FreshetModel
internal import RefreshSources

/// Makes what a source brought ready to be stored: checked, counted, tagged and compressed, once for
/// all its readers. Runs where the source ran, never on the worker's loop.
enum PayloadPreparation {
    /// The outcome with its payload as it is to be stored.
    ///
    /// - Throws: When a payload declared JSON is not. Asking again may bring a better one.
    static func prepare(_ outcome: SourceOutcome) throws(SourceError) -> SourceOutcome {
        guard case .payload(var payload) = outcome else { return outcome }
        // A source that encoded its payload itself knows its facts too.
        guard payload.encoding == .identity else { return outcome }
        // A source that tagged its payload has read it; others leave that to us.
        if payload.facts.contentTag.isEmpty { payload = try payload.checked() }
        payload.facts.sizeBytes = payload.bytes.count
        if let compressed = CompressionChoice.compressed(payload) {
            payload.bytes = compressed
            payload.encoding = .zstd
        }
        return .payload(payload)
    }

    /// The bytes of a kept payload as its source produced them; `nil` when they are damaged.
    static func decoded(_ bytes: [UInt8], _ metadata: PayloadMetadata) -> [UInt8]? {
        let encoding: Compression.Encoding
        switch metadata.encoding {
        case .identity: return bytes
        case .gzip: encoding = .gzip
        case .zstd: encoding = .zstd
        }
        do throws(CodecError) {
            // Ours, so no bomb: only its recorded size bounds it.
            return try Compression.decompress(
                bytes, encoding, maximumBytes: metadata.facts.sizeBytes, maximumRatio: .max)
        } catch {
            return nil
        }
    }
}

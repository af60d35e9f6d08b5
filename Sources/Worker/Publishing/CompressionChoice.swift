internal import Codecs
internal import FreshetModel

/// Whether a payload is stored compressed: by what it is, and by trying.
///
/// zstd, because every reader that takes no encoding costs a decompression, and zstd's is the
/// cheapest; readers that want gzip are served a copy that the API makes once per version.
enum CompressionChoice {
    /// Below this nothing is gained: the answer leaves in one packet anyway.
    static let minimumBytes = 1024
    /// So much of the beginning tells whether the rest is worth it.
    static let trialBytes = 64 << 10
    /// What does not shrink to this share is kept as it is, so that reading it costs nothing.
    static let worthwhileShare = 0.9

    /// The compressed bytes, `nil` when the payload is better kept as it is.
    static func compressed(_ payload: Payload) -> [UInt8]? {
        guard payload.bytes.count >= minimumBytes, mayShrink(payload.contentType) else {
            return nil
        }
        if payload.bytes.count > 4 * trialBytes {
            let trial = Array(payload.bytes.prefix(trialBytes))
            guard shrunk(trial, level: 1) != nil else { return nil }
        }
        return shrunk(payload.bytes, level: nil)
    }

    private static func shrunk(_ bytes: [UInt8], level: Int?) -> [UInt8]? {
        do throws(CodecError) {
            let compressed = try Compression.compress(bytes, .zstd, level: level)
            let limit = Double(bytes.count) * worthwhileShare
            return Double(compressed.count) <= limit ? compressed : nil
        } catch {
            // Without memory for the codec the payload is still good.
            return nil
        }
    }

    /// False for media types that are compressed by themselves.
    static func mayShrink(_ contentType: String) -> Bool {
        let essence = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard let slash = essence.firstIndex(of: "/") else { return true }
        let subtype = essence[essence.index(after: slash)...]
        switch essence[..<slash] {
        case "image": return ["svg+xml", "bmp", "x-icon", "vnd.microsoft.icon"].contains(subtype)
        case "audio", "video": return false
        case "font": return subtype == "ttf" || subtype == "otf"
        case "application": return !compressedApplications.contains(String(subtype))
        default: return true
        }
    }

    private static let compressedApplications: Set<String> = [
        "gzip", "zstd", "zip", "x-7z-compressed", "x-bzip2", "x-xz", "x-rar-compressed",
        "vnd.rar", "java-archive", "epub+zip", "pdf", "vnd.android.package-archive",
    ]
}

import Codecs
import FreshetModel

// Internals are tried too, which a release build does not open; fuzzing is done in debug builds.
#if DEBUG
    @testable import API
    @testable import Coordination
    @testable import RefreshSources

    enum RequestFuzz {
        static func read(_ bytes: [UInt8]) {
            let field = text(bytes)
            _ = AcceptedEncodings(field)
            for length in [0, 1, 1000] { _ = ByteRange(field, length: length) }
            _ = Preferences(field)
            if var query = try? StrictQuery(field) {
                _ = try? query.take("resource")
                _ = try? query.takeFlag("refresh")
                _ = try? query.takeLimit()
                _ = try? query.takeCursor(of: "keys")
            }
            _ = try? RefreshBody(bytes)
            _ = try? RefreshBody(bytes, takesKeys: true)
        }
    }

    enum ProgressFuzz {
        static func read(_ bytes: [UInt8]) {
            var lines = ProgressLines { progress in
                precondition(progress.done.isFinite && progress.done >= 0, "progress is an amount")
                precondition(
                    (progress.message?.utf8.count ?? 0) <= Limits.progressMessageLength,
                    "a message is bounded")
            }
            // Cut anywhere, the lines are the same.
            let middle = bytes.count / 2
            lines.take(bytes[..<middle])
            lines.take(bytes[middle...])
            lines.finish()
        }
    }

    enum RecordFuzz {
        static func read(_ bytes: [UInt8]) {
            let fields = pieces(bytes).map { text($0) }
            let record = Record(flat: fields)
            _ = record.payload(at: Timestamp(milliseconds: 1_795_226_400_000))
            _ = record.state
            _ = record.progress
            _ = record.scope
            let all = text(bytes)
            _ = EventEntry(message: all, partition: 0)
            if let key = Key("fuzzed") { _ = EndedJob.decode(all, id: JobID(run: 1, key: key)) }
            _ = EndedJob.id(member: all)
        }
    }
#else
    enum RequestFuzz { static func read(_ bytes: [UInt8]) {} }
    enum ProgressFuzz { static func read(_ bytes: [UInt8]) {} }
    enum RecordFuzz { static func read(_ bytes: [UInt8]) {} }
#endif

enum PayloadFuzz {
    private static let maximum = 1 << 20

    static func read(_ bytes: [UInt8]) {
        _ = try? JSONScanner.scan(bytes)
        if let pointer = JSONPointer(text(bytes.prefix(64))) {
            if let range = try? pointer.range(in: bytes) {
                precondition(range.upperBound <= bytes.count, "a part lies within the whole")
            }
        }
        for encoding in Compression.Encoding.allCases {
            let plain = try? Compression.decompress(bytes, encoding, maximumBytes: maximum)
            precondition((plain?.count ?? 0) <= maximum, "output is bounded")
        }
    }
}

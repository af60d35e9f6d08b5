internal import Codecs

/// Reads the files back out of a payload that this source made before.
enum PreviousFiles {
    /// All files of `payload`, by path; `nil` when it is none of this source's.
    static func read(_ payload: [UInt8]) -> [[UInt8]: FileRecord]? {
        var files: [[UInt8]: FileRecord] = [:]
        do throws(JSONError) {
            var reader = try JSONReader(payload)
            guard try reader.kind() == .array else { return nil }
            try reader.forEachElement { reader throws(JSONError) in
                try readItem(&reader, &files)
            }
        } catch {
            return nil
        }
        return files
    }

    /// A file, or a collection with `files`.
    private static func readItem(
        _ reader: inout JSONReader, _ files: inout [[UInt8]: FileRecord]
    ) throws(JSONError) {
        var path: String?
        var size: Int?
        var modified: Int64?
        var hash: [UInt8]?
        var isCollection = false
        try reader.forEachMember { name, reader throws(JSONError) in
            switch name {
            case "path": path = try reader.readString()
            case "size_bytes": size = try reader.readInteger()
            case "modified_at": modified = try reader.readString().flatMap(RFC3339.parse)
            case "sha256": hash = try reader.readString().flatMap { Hexadecimal.decode($0) }
            case "files":
                isCollection = true
                try reader.forEachElement { reader throws(JSONError) in
                    try readItem(&reader, &files)
                }
            default: try reader.skip()
            }
        }
        guard !isCollection, let path, let size, let modified else { return }
        let bytes = Array(path.utf8)
        files[bytes] = FileRecord(path: bytes, size: size, modified: modified, hash: hash)
    }
}

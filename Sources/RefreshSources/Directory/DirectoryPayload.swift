internal import Codecs
internal import FreshetModel

/// Writes files, sorted by path, as the payload.
enum DirectoryPayload {
    static func make(
        _ files: [FileRecord], collections: DirectorySource.Collections
    ) throws(SourceError) -> Payload {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(files.count * 128 + 2)
        var count: Int?
        bytes.append(UInt8(ascii: "["))
        switch collections {
        case .none: append(files, to: &bytes)
        case .subdirectory: count = appendCollections(files, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        var payload = try Payload.checked(bytes, contentType: "application/json")
        payload.facts.fileCount = files.count
        payload.facts.collectionsCount = count
        return payload
    }

    private static func append(_ files: some Sequence<FileRecord>, to bytes: inout [UInt8]) {
        var isFirst = true
        for file in files {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            file.append(to: &bytes)
        }
    }

    /// Appends one object per top-level directory; returns how many.
    private static func appendCollections(_ files: [FileRecord], to bytes: inout [UInt8]) -> Int {
        // Sorted by path, a directory's files stand together, but root files stand in between.
        var members: [ArraySlice<UInt8>: [Int]] = [:]
        for index in files.indices { members[files[index].collection, default: []].append(index) }
        let names = members.keys.sorted { $0.lexicographicallyPrecedes($1) }
        for (position, name) in names.enumerated() {
            let indices = members[name] ?? []
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: "{\"name\":".utf8)
            FileRecord.append(name, to: &bytes)
            bytes.append(contentsOf: ",\"path\":".utf8)
            FileRecord.append(name, to: &bytes)
            bytes.append(contentsOf: ",\"file_count\":".utf8)
            JSONText.append(indices.count, to: &bytes)
            bytes.append(contentsOf: ",\"size_bytes\":".utf8)
            JSONText.append(indices.reduce(0) { $0 + files[$1].size }, to: &bytes)
            bytes.append(contentsOf: ",\"modified_at\":".utf8)
            RFC3339.append(indices.map { files[$0].modified }.max() ?? 0, to: &bytes)
            bytes.append(contentsOf: ",\"files\":[".utf8)
            append(indices.lazy.map { files[$0] }, to: &bytes)
            bytes.append(contentsOf: "]}".utf8)
        }
        return names.count
    }
}

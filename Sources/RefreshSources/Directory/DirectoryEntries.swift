internal import CSpawn
internal import Glibc

/// The names in one directory that may be regular files or directories, in the order of the paths
/// below them.
enum DirectoryEntries {
    struct Entry {
        var name: [CChar]
        var bytes: [UInt8]
        var isDirectory: Bool

        /// What stands in the paths below: of a directory with the slash that follows its name.
        var key: [UInt8] { isDirectory ? bytes + [UInt8(ascii: "/")] : bytes }
    }

    /// Reads the directory open as `descriptor`.
    /// - Parameter keeps: Which entries are wanted; asked as they come.
    static func read(
        _ descriptor: Int32, _ path: String, keeps: (Entry) throws(SourceError) -> Bool
    ) throws(SourceError) -> [Entry] {
        // A descriptor of its own: closedir closes it, and the position in it is not shared.
        let own = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0, let stream = unsafe fdopendir(own) else {
            let reason = errno
            if own >= 0 { close(own) }
            throw TreeWalk.failure(path, reason)
        }
        defer { unsafe closedir(stream) }
        var entries: [(key: [UInt8], entry: Entry)] = []
        while true {
            errno = 0
            guard let item = unsafe readdir(stream) else { break }
            guard let entry = unsafe entry(item, descriptor), try keeps(entry) else { continue }
            entries.append((entry.key, entry))
        }
        guard errno == 0 else { throw TreeWalk.failure(path, errno) }
        entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
        return entries.map { $0.entry }
    }

    private static func entry(_ item: UnsafeMutablePointer<dirent>, _ descriptor: Int32) -> Entry? {
        // From the record itself: as a value the name would be copied with its full 256 bytes.
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        let start = unsafe UnsafeRawPointer(item) + offset
        let length = unsafe strlen(start.assumingMemoryBound(to: CChar.self))
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: length))
        if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { return nil }
        let name = bytes.map { CChar(bitPattern: $0) } + [0]
        switch unsafe Int(item.pointee.d_type) {
        case DT_REG: return Entry(name: name, bytes: bytes, isDirectory: false)
        case DT_DIR: return Entry(name: name, bytes: bytes, isDirectory: true)
        case DT_UNKNOWN:
            var found = freshet_file()
            guard unsafe freshet_file_at(descriptor, name, &found) == 0,
                found.is_regular != 0 || found.is_directory != 0
            else { return nil }
            return Entry(name: name, bytes: bytes, isDirectory: found.is_directory != 0)
        default: return nil
        }
    }
}

internal import CSpawn
internal import Codecs
internal import Glibc

/// Looks at the files that a walk found: size, time and, when asked for, content.
struct FileReading: ~Copyable {
    private let walk: TreeWalk
    private let root: Int32
    private let cancellation: Cancellation
    /// Open directories from below the root to where the last file was.
    private var open: [(index: Int, descriptor: Int32)] = []
    private var buffer = ReadBuffer(capacity: 256 << 10)

    init(_ walk: TreeWalk, root: Int32, _ cancellation: Cancellation) {
        self.walk = walk
        self.root = root
        self.cancellation = cancellation
    }

    deinit { for directory in open { close(directory.descriptor) } }

    /// What there is to say about `file`; `nil` when it is gone or no regular file any more.
    /// - Parameters:
    ///   - hashes: Whether its content is wanted.
    ///   - known: What was said about it last time; with size and time unchanged it is not read.
    mutating func read(
        _ file: TreeWalk.File, hashes: Bool, known: (([UInt8]) -> FileRecord?)
    ) throws(SourceError) -> FileRecord? {
        guard let directory = try descriptor(of: file.directory) else { return nil }
        let path = path(of: file)
        var found = freshet_file()
        guard unsafe freshet_file_at(directory, file.name, &found) == 0 else {
            if errno == ENOENT { return nil }
            throw TreeWalk.failure(TreeWalk.text(path), errno)
        }
        guard found.is_regular != 0 else { return nil }
        var record = FileRecord(path: path, size: Int(found.size), modified: found.modified_ms)
        guard hashes else {
            // Its content is not wanted now, but a file that cannot be read is no use to anybody.
            guard unsafe faccessat(directory, file.name, R_OK, 0) == 0 else {
                if errno == ENOENT { return nil }
                throw TreeWalk.failure(TreeWalk.text(path), errno)
            }
            return record
        }
        if let known = known(path), let hash = known.hash, known.size == record.size,
            known.modified == record.modified
        {
            record.hash = hash
            return record
        }
        return try hash(file, in: directory, record)
    }

    private func path(of file: TreeWalk.File) -> [UInt8] {
        let above = walk.directories[file.directory].path
        let name = file.name.dropLast().map { UInt8(bitPattern: $0) }
        return above.isEmpty ? name : above + [UInt8(ascii: "/")] + name
    }

    /// Reads a file to its end. When it changes meanwhile it is read again, so that size, time and
    /// hash belong together; one that never rests is an error.
    private mutating func hash(
        _ file: TreeWalk.File, in directory: Int32, _ found: FileRecord
    ) throws(SourceError) -> FileRecord? {
        let path = TreeWalk.text(found.path)
        var record = found
        for _ in 0..<3 {
            // O_NONBLOCK: should it have become a FIFO by now, opening must not wait for a writer.
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
            guard let content = unsafe Descriptor(openat(directory, file.name, flags)) else {
                if errno == ENOENT || errno == ELOOP { return nil }
                throw TreeWalk.failure(path, errno)
            }
            var status = freshet_file()
            guard unsafe freshet_file_of(content.number, &status) == 0 else {
                throw TreeWalk.failure(path, errno)
            }
            guard status.is_regular != 0 else { return nil }
            Self.waitPast(status.modified_ms)
            record.size = Int(status.size)
            record.modified = status.modified_ms
            record.hash = try hash(content.number, path)
            guard unsafe freshet_file_of(content.number, &status) == 0 else {
                throw TreeWalk.failure(path, errno)
            }
            if record.size == Int(status.size), record.modified == status.modified_ms {
                return record
            }
        }
        throw SourceError("\(path): it changes while it is read")
    }

    private mutating func hash(
        _ descriptor: Int32, _ path: String
    ) throws(SourceError) -> [UInt8] {
        var hasher = SHA256()
        while true {
            try cancellation.check()
            let count = buffer.fill(from: descriptor)
            if count == 0 { return hasher.digest() }
            guard count > 0 else { throw TreeWalk.failure(path, errno) }
            hasher.update(buffer.bytes.span.extracting(0..<count))
        }
    }

    /// Waits until a later write must get a later time than `moment`, so that size and time tell
    /// next time whether the file is still the one that was read. The kernel's file times move in
    /// steps of up to 10 ms.
    static func waitPast(_ modified: Int64) {
        let age = freshet_file_clock_milliseconds() - modified
        if (0..<20).contains(age) { usleep(UInt32(20 - age) * 1000) }
    }

    // MARK: directories

    /// An open descriptor of directory `index`; `nil` when it is gone. Files come in the order of
    /// their paths, so all but the path to the last one can be closed.
    private mutating func descriptor(of index: Int) throws(SourceError) -> Int32? {
        if index == 0 { return root }
        var missing: [Int] = []
        var next = index
        while next != 0, !open.contains(where: { $0.index == next }) {
            missing.append(next)
            next = walk.directories[next].parent
        }
        while let last = open.last, last.index != next {
            close(last.descriptor)
            open.removeLast()
        }
        for directory in missing.reversed() {
            let parent = open.last?.descriptor ?? root
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            let number = unsafe openat(parent, walk.directories[directory].name, flags)
            guard number >= 0 else {
                let reason = errno
                if reason == ENOENT || reason == ENOTDIR || reason == ELOOP { return nil }
                throw TreeWalk.failure(
                    TreeWalk.text(walk.directories[directory].path), reason)
            }
            open.append((directory, number))
        }
        return open.last?.descriptor ?? root
    }
}

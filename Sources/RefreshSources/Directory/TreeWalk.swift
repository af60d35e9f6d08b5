internal import CSpawn
internal import Glibc

/// Which files of a tree are wanted.
struct FileSelection: Sendable {
    var include: [Glob]
    var exclude: [Glob]

    func takes(_ names: [ArraySlice<UInt8>]) -> Bool {
        include.contains { $0.matches(names) } && !exclude.contains { $0.matches(names) }
    }

    func takes(path: [UInt8]) -> Bool {
        let names = path.split(separator: UInt8(ascii: "/"))
        // An excluded directory takes what lies below it along.
        return takes(names) && names.indices.dropFirst().allSatisfy { enters(Array(names[..<$0])) }
    }

    func enters(_ names: [ArraySlice<UInt8>]) -> Bool {
        include.contains { $0.mayMatch(below: names) }
            && !exclude.contains { $0.coversAll(below: names) }
    }
}

/// Finds the wanted files below a root, in the order of their paths.
///
/// Every directory is opened beneath the one before it without following a symbolic link, so
/// nothing outside the root is ever seen, whatever is renamed meanwhile. Only names are read here;
/// what a file is and holds is looked at afterwards, when their number is known.
struct TreeWalk {
    /// Directories within each other; each holds a descriptor open while the walk is below it.
    static let maximumDepth = 128

    struct Directory {
        /// Index of the one it is in; -1 for the root.
        var parent: Int
        /// The name as C has it; empty for the root.
        var name: [CChar]
        /// The path relative to the root; empty for the root.
        var path: [UInt8]
        var depth: Int
    }

    struct File {
        var directory: Int
        var name: [CChar]
    }

    private(set) var directories = [Directory(parent: -1, name: [], path: [], depth: 0)]
    private(set) var files: [File] = []
    private let selection: FileSelection
    private let maximumFiles: Int
    private let cancellation: Cancellation

    init(_ selection: FileSelection, maximumFiles: Int, _ cancellation: Cancellation) {
        self.selection = selection
        self.maximumFiles = maximumFiles
        self.cancellation = cancellation
    }

    /// Walks the whole tree.
    mutating func walkAll(root: Int32) throws(SourceError) {
        try walk(root, index: 0, names: [])
    }

    /// Takes the files in the root itself.
    mutating func walkRootFiles(root: Int32) throws(SourceError) {
        try walk(root, index: 0, names: [], isDeep: false)
    }

    /// Walks what lies below the directory `part`; one that is not there has no files.
    mutating func walk(part: [[UInt8]], root: Int32) throws(SourceError) {
        guard let copy = Descriptor(dup(root)) else { throw Self.failure(".", errno) }
        try descend(part[...], below: copy, index: 0, names: [])
    }

    private mutating func descend(
        _ rest: ArraySlice<[UInt8]>, below: borrowing Descriptor, index: Int,
        names: [ArraySlice<UInt8>]
    ) throws(SourceError) {
        guard let next = rest.first else {
            try walk(below.number, index: index, names: names)
            return
        }
        let inner = names + [next[...]]
        guard selection.enters(inner) else { return }
        let child = addDirectory(next.map { CChar(bitPattern: $0) } + [0], in: index)
        guard let descriptor = try open(child, below: below.number) else { return }
        try descend(rest.dropFirst(), below: descriptor, index: child, names: inner)
    }

    private mutating func walk(
        _ descriptor: Int32, index: Int, names: [ArraySlice<UInt8>], isDeep: Bool = true
    ) throws(SourceError) {
        try cancellation.check()
        let path = directories[index].path
        guard directories[index].depth < Self.maximumDepth else {
            throw .permanent(
                "\(Self.text(path)) is more than \(Self.maximumDepth) directories deep")
        }
        let (selection, cancellation) = (selection, cancellation)
        var left = maximumFiles - files.count
        let entries = try DirectoryEntries.read(descriptor, Self.text(path)) {
            entry throws(SourceError) in
            try cancellation.check()
            let inner = names + [entry.bytes[...]]
            if entry.isDirectory { return isDeep && selection.enters(inner) }
            guard selection.takes(inner) else { return false }
            // Here already, before a directory of millions is in memory.
            left -= 1
            guard left >= 0 else { throw .permanent("more than max_files, \(maximumFiles) files") }
            return true
        }
        for entry in entries {
            guard entry.isDirectory else {
                files.append(File(directory: index, name: entry.name))
                continue
            }
            let child = addDirectory(entry.name, in: index)
            guard let below = try open(child, below: descriptor) else { continue }
            try walk(below.number, index: child, names: names + [entry.bytes[...]])
        }
        guard files.count <= maximumFiles else {
            throw .permanent("more than max_files, \(maximumFiles) files")
        }
    }

    private mutating func addDirectory(_ name: [CChar], in parent: Int) -> Int {
        let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
        let above = directories[parent]
        directories.append(
            Directory(
                parent: parent, name: name,
                path: above.path.isEmpty ? bytes : above.path + [UInt8(ascii: "/")] + bytes,
                depth: above.depth + 1))
        return directories.count - 1
    }

    /// Opens directory `index` beneath its parent's descriptor; `nil` when it is gone or became
    /// something else, a symbolic link for one.
    private func open(_ index: Int, below parent: Int32) throws(SourceError) -> Descriptor? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let number = unsafe openat(parent, directories[index].name, flags)
        if let descriptor = Descriptor(number) { return descriptor }
        let reason = errno
        if reason == ENOENT || reason == ENOTDIR || reason == ELOOP { return nil }
        throw Self.failure(Self.text(directories[index].path), reason)
    }

    static func text(_ path: [UInt8]) -> String {
        path.isEmpty ? "." : String(decoding: path, as: UTF8.self)
    }

    static func failure(_ path: String, _ reason: Int32) -> SourceError {
        SourceError("\(path): \(errorText(reason))")
    }
}

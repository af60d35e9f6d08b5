internal import FreshetModel
internal import Glibc

/// The `directory` source: the files of a tree as a JSON array, sorted by path.
///
/// First the names are read, so that progress has a total, then each file is looked at. With a
/// scope only the named directories are, and the rest is taken from the kept payload; a file whose
/// size and time are as the kept payload says is not read again for its hash.
struct DirectoryRefreshSource: RefreshSource {
    private let definition: DirectorySource
    private let root: Template
    private let selection: FileSelection

    init(_ definition: DirectorySource, declared: [ParameterRule]) throws(SourceError) {
        self.definition = definition
        guard !definition.root.isEmpty else { throw .permanent("root is empty") }
        root = try Template(definition.root, declared: declared)
        selection = FileSelection(
            include: try Self.globs(definition.include), exclude: try Self.globs(definition.exclude)
        )
    }

    static func globs(_ patterns: [String]) throws(SourceError) -> [Glob] {
        var globs: [Glob] = []
        for pattern in patterns {
            guard let glob = Glob(pattern) else { throw .permanent("malformed glob \(pattern)") }
            globs.append(glob)
        }
        return globs
    }

    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        let path = try PathTemplate.expand(root, context.key)
        let scope = try ScopeParts(context.scope, collections: definition.collections)
        let needsPrevious = definition.hashesSHA256 || !scope.isAll
        let previous = needsPrevious ? await context.previous?.load() : nil
        let source = self
        return try await BlockingThread.run("directory", onCancel: .abandon) {
            cancellation throws(SourceError) in
            let report: @Sendable (Progress) -> Void = {
                if !cancellation.isCancelled { context.report($0) }
            }
            return .payload(
                try source.read(path, scope, previous: previous, report, cancellation))
        }
    }

    private func read(
        _ path: String, _ scope: ScopeParts, previous: [UInt8]?,
        _ report: @escaping @Sendable (Progress) -> Void, _ cancellation: Cancellation
    ) throws(SourceError) -> Payload {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        guard let root = unsafe Descriptor(open(path, flags)) else {
            throw SourceError("\(path): \(errorText())")
        }
        let known = previous.flatMap(PreviousFiles.read)
        // Without the rest of the payload a part of it is not enough.
        let isAll = scope.isAll || known == nil

        var walk = TreeWalk(
            selection, maximumFiles: definition.maximumFiles, cancellation)
        if isAll {
            try walk.walkAll(root: root.number)
        } else {
            if scope.hasRootFiles { try walk.walkRootFiles(root: root.number) }
            for part in scope.parts { try walk.walk(part: part, root: root.number) }
        }

        var files = try look(walk, root: root.number, known, report, cancellation)
        if !isAll, let known {
            files += known.values.filter { file in
                !scope.covers(file.path) && selection.takes(path: file.path)
            }
            files.sort(by: FileRecord.isBefore)
            guard files.count <= definition.maximumFiles else {
                throw .permanent("more than max_files, \(definition.maximumFiles) files")
            }
        }
        return try DirectoryPayload.make(files, collections: definition.collections)
    }

    /// Looks at each file the walk found, and tells how far it is.
    private func look(
        _ walk: TreeWalk, root: Int32, _ known: [[UInt8]: FileRecord]?,
        _ report: @escaping @Sendable (Progress) -> Void, _ cancellation: Cancellation
    ) throws(SourceError) -> [FileRecord] {
        var pace = ProgressPace(report)
        let total = Double(walk.files.count)
        var reading = FileReading(walk, root: root, cancellation)
        var files: [FileRecord] = []
        files.reserveCapacity(walk.files.count)
        pace.tellNow(Progress(done: 0, total: total))
        for (index, file) in walk.files.enumerated() {
            try cancellation.check()
            pace.tell {
                let directory = TreeWalk.text(walk.directories[file.directory].path)
                return Progress(
                    done: Double(index), total: total,
                    message: directory == "." ? nil : String(directory.prefix(120)))
            }
            let record = try reading.read(file, hashes: definition.hashesSHA256) { known?[$0] }
            if let record { files.append(record) }
        }
        pace.tellNow(Progress(done: total, total: total))
        return files
    }
}

/// The directories that a refresh is about.
struct ScopeParts: Sendable {
    /// Names from the root down; none lies below another.
    let parts: [[[UInt8]]]
    /// The files in the root itself are among it: the collection `.`.
    let hasRootFiles: Bool
    /// It is about everything.
    let isAll: Bool

    init(
        _ scope: RefreshScope, collections: DirectorySource.Collections
    ) throws(SourceError) {
        var parts: [[[UInt8]]] = []
        var hasRootFiles = false
        var isAll = scope == .all
        for text in scope.parts {
            if text == "." {
                if collections == .none { isAll = true } else { hasRootFiles = true }
                continue
            }
            var names = text.utf8.split(
                separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
            ).map { Array($0) }
            if names.last?.isEmpty == true { names.removeLast() }
            let isInside =
                !names.isEmpty
                && names.allSatisfy { name in
                    !name.isEmpty && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
                        && !name.contains(0)
                }
            guard isInside else {
                throw .permanent("the scope \(text) names no directory below the root")
            }
            parts.append(names)
        }
        self.parts = parts.filter { part in
            !parts.contains { $0.count < part.count && part.starts(with: $0) }
        }
        self.hasRootFiles = hasRootFiles
        self.isAll = isAll
    }

    /// Whether the file at `path` is part of it.
    func covers(_ path: [UInt8]) -> Bool {
        let names = path.split(separator: UInt8(ascii: "/"))
        if hasRootFiles, names.count == 1 { return true }
        return parts.contains { part in
            part.count < names.count && zip(part, names).allSatisfy { $0.elementsEqual($1) }
        }
    }
}

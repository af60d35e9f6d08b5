internal import CSpawn
internal import FreshetModel
internal import Glibc
internal import Runtime

/// Interrupts a thread that waits in `poll`.
final class Wakeup: Sendable {
    let descriptor: Int32

    init?() {
        descriptor = freshet_wakeup_descriptor()
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    func wake() { freshet_wake(descriptor) }
}

/// The watching of one tree, on a thread of its own.
///
/// The kernel watches directories one by one, so each gets a watch, new ones too. What the root's
/// path means is looked at every few seconds: it may be put in place of another, or appear later.
final class DirectoryWatch {
    private static let events = UInt32(
        IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO
            | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
    /// How often the root's path is looked at, in milliseconds.
    private static let rootInterval: UInt64 = 2000

    private let root: String
    private let selection: FileSelection
    private let quiet: UInt64
    private let longest: UInt64
    private let wakeup: Wakeup

    private var inotify: Int32 = -1
    /// The path of each watched directory relative to the root, by the number of its watch.
    private var watches: [Int32: [UInt8]] = [:]
    /// Which directory the root's path meant when the watches were made.
    private var rootInode: UInt64?
    private var changed: Set<String> = []
    private var firstChange: UInt64 = 0
    private var lastChange: UInt64 = 0
    private var nextLook: UInt64 = 0

    init(
        root: String, selection: FileSelection, quiet: UInt64, longest: UInt64, wakeup: Wakeup
    ) {
        self.root = root
        self.selection = selection
        self.quiet = quiet
        self.longest = longest
        self.wakeup = wakeup
    }

    deinit { if inotify >= 0 { close(inotify) } }

    /// Watches until woken up.
    ///
    /// - Parameter tell: Returns whether it could be told; what could not is told later.
    func run(_ tell: (RefreshScope) -> Bool) throws(SourceError) {
        try watchAll()
        var buffer = ReadBuffer(capacity: 64 << 10)
        while true {
            var polled = [
                pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&polled, 2, Int32(timeout()))
            if polled[0].revents != 0 { return }
            if polled[1].revents != 0 {
                let count = buffer.fill(from: inotify)
                if count > 0 { try take(buffer.bytes[..<count]) }
            }
            try lookAtRoot()
            let now = Self.now()
            if !changed.isEmpty, now >= tellAt {
                let scope: RefreshScope =
                    changed.contains(Self.everything) ? .all : RefreshScope(Array(changed))
                if tell(scope) {
                    changed = []
                } else {
                    (firstChange, lastChange) = (now, now)
                }
            }
        }
    }

    private static let everything = ""

    private static func now() -> UInt64 { EventLoop.monotonicNanoseconds() / 1_000_000 }

    private var tellAt: UInt64 { min(lastChange + quiet, firstChange + longest) }

    private func timeout() -> UInt64 {
        let now = Self.now()
        let next = changed.isEmpty ? nextLook : min(tellAt, nextLook)
        return next > now ? next - now : 0
    }

    private func note(_ part: String) {
        let now = Self.now()
        if changed.isEmpty { firstChange = now }
        lastChange = now
        changed.insert(part)
    }

    // MARK: events

    /// Reads records of `struct inotify_event`: watch, mask, cookie, length of the name, name.
    private func take(_ bytes: ArraySlice<UInt8>) throws(SourceError) {
        var at = bytes.startIndex
        while at + 16 <= bytes.endIndex {
            func word(_ offset: Int) -> UInt32 {
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + offset + $1]) << UInt32(8 * $1) }
            }
            let watch = Int32(bitPattern: word(0))
            let mask = word(4)
            let length = Int(word(12))
            let name = bytes[(at + 16)..<min(bytes.endIndex, at + 16 + length)].prefix { $0 != 0 }
            at += 16 + length
            try take(watch, mask, name)
        }
    }

    private func take(
        _ watch: Int32, _ mask: UInt32, _ name: ArraySlice<UInt8>
    ) throws(SourceError) {
        func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(flag) != 0 }
        if has(IN_Q_OVERFLOW) {
            // Events were lost: any directory may have come or gone.
            note(Self.everything)
            return try watchAll()
        }
        guard let directory = watches[watch] else { return }
        if has(IN_IGNORED) {
            watches[watch] = nil
            return
        }
        if has(IN_DELETE_SELF) || has(IN_MOVE_SELF) {
            // Below the root the parent tells; of the root itself nobody else does.
            guard directory.isEmpty else { return }
            note(Self.everything)
            rootInode = nil
            nextLook = 0
            return
        }
        guard !name.isEmpty else { return }
        let path = directory.isEmpty ? Array(name) : directory + [UInt8(ascii: "/")] + name
        if mask & UInt32(bitPattern: Int32(truncatingIfNeeded: IN_ISDIR)) != 0 {
            try takeDirectory(path, mask)
        } else if selection.takes(path: path) {
            note(part(of: path, isDirectory: false))
        }
    }

    private func takeDirectory(_ path: [UInt8], _ mask: UInt32) throws(SourceError) {
        let names = path.split(separator: UInt8(ascii: "/"))
        guard selection.enters(names) else { return }
        if mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 {
            try watchTree(names.map { Array($0) })
        } else if mask & UInt32(IN_MOVED_FROM) != 0 {
            // The kernel goes on watching what left.
            let prefix = path + [UInt8(ascii: "/")]
            for (watch, known) in watches where known == path || known.starts(with: prefix) {
                inotify_rm_watch(inotify, watch)
                watches[watch] = nil
            }
        } else if mask & UInt32(IN_DELETE) == 0 {
            return
        }
        note(part(of: path, isDirectory: true))
    }

    /// The top-level directory a path is in; `.` for the root's own files.
    private func part(of path: [UInt8], isDirectory: Bool) -> String {
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")) else {
            return isDirectory ? scopePart(path[...]) : "."
        }
        return scopePart(path[..<slash])
    }

    /// A name that cannot be told as a scope stands for everything.
    private func scopePart(_ name: ArraySlice<UInt8>) -> String {
        guard let text = String(validating: name, as: UTF8.self),
            name.count <= Limits.scopePartLength
        else { return Self.everything }
        return text
    }

    // MARK: watches

    private func lookAtRoot() throws(SourceError) {
        let now = Self.now()
        guard now >= nextLook else { return }
        // One that is missing may be about to come back.
        nextLook = now + (rootInode == nil ? Self.rootInterval / 10 : Self.rootInterval)
        guard Self.inode(root) != rootInode else { return }
        note(Self.everything)
        try watchAll()
    }

    private static func inode(_ path: String) -> UInt64? {
        guard let directory = unsafe Descriptor(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        else { return nil }
        return inode(directory.number)
    }

    private static func inode(_ descriptor: Int32) -> UInt64? {
        var file = freshet_file()
        return unsafe freshet_file_of(descriptor, &file) == 0 ? file.inode : nil
    }

    /// Forgets all watches and makes them anew.
    private func watchAll() throws(SourceError) {
        if inotify >= 0 { close(inotify) }
        watches = [:]
        inotify = inotify_init1(O_CLOEXEC | O_NONBLOCK)
        guard inotify >= 0 else {
            throw SourceError("\(root) cannot be watched: \(errorText())")
        }
        rootInode = nil
        nextLook = Self.now() + Self.rootInterval
        guard let directory = unsafe Descriptor(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        else { return }
        rootInode = Self.inode(directory.number)
        try watch(directory.number, [], depth: 0)
    }

    /// Watches a directory that appeared, and all below it.
    private func watchTree(_ names: [[UInt8]]) throws(SourceError) {
        guard let top = unsafe Descriptor(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) else {
            return
        }
        try descend(names[...], below: top.number, [])
    }

    private func descend(
        _ names: ArraySlice<[UInt8]>, below parent: Int32, _ path: [UInt8]
    ) throws(SourceError) {
        guard let name = names.first else {
            return try watch(parent, path, depth: path.split(separator: 0x2F).count)
        }
        guard let next = Self.openDirectory(name.map { CChar(bitPattern: $0) } + [0], below: parent)
        else {
            return
        }
        let inner = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
        try descend(names.dropFirst(), below: next.number, inner)
    }

    private static func openDirectory(_ name: [CChar], below parent: Int32) -> Descriptor? {
        unsafe Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    }

    /// Watches the open directory first and then what is in it, so that nothing comes in between.
    private func watch(
        _ descriptor: Int32, _ path: [UInt8], depth: Int
    ) throws(SourceError) {
        // By descriptor, so that no link can be put in the way of the path.
        let watch = unsafe inotify_add_watch(
            inotify, "/proc/self/fd/\(descriptor)", Self.events)
        guard watch >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            let reason =
                errno == ENOSPC ? "fs.inotify.max_user_watches is too low" : errorText()
            throw SourceError("\(root) cannot be watched: \(reason)")
        }
        watches[watch] = path
        guard depth < TreeWalk.maximumDepth else { return }
        let names = path.split(separator: UInt8(ascii: "/"))
        let entries: [DirectoryEntries.Entry]
        do throws(SourceError) {
            entries = try DirectoryEntries.read(descriptor, TreeWalk.text(path)) { entry in
                entry.isDirectory
            }
        } catch {
            // Gone or closed to us; a refresh says so, the rest is watched all the same.
            return
        }
        for entry in entries {
            guard selection.enters(names + [entry.bytes[...]]),
                let below = Self.openDirectory(entry.name, below: descriptor)
            else { continue }
            let inner = path.isEmpty ? entry.bytes : path + [UInt8(ascii: "/")] + entry.bytes
            try self.watch(below.number, inner, depth: depth + 1)
        }
    }
}

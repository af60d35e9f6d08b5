import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("Directory watcher", .timeLimit(.minutes(1)))
struct DirectoryWatcherTests {
    /// Runs `steps` one after the other, and returns what was told after each.
    private func told(
        _ folder: Folder, root: String = "", quiet: Duration = .milliseconds(60),
        _ change: (inout DirectorySource) -> Void = { _ in },
        steps: [@Sendable () throws -> Void]
    ) async throws -> [DirectoryWatcher.Event] {
        var definition = DirectorySource(root: folder.path + root)
        change(&definition)
        let watcher = try DirectoryWatcher(definition, for: resource(), quiet: quiet)
        let events = watcher.events()
        try await waitForWatch(folder)
        var told: [DirectoryWatcher.Event] = []
        var iterator = events.makeAsyncIterator()
        for step in steps {
            try step()
            if let event = await iterator.next() { told.append(event) }
        }
        return told
    }

    /// Waits until a thread of this process watches.
    private func waitForWatch(_ folder: Folder) async throws {
        _ = try await eventually(5) {
            var file = stat()
            guard unsafe stat(folder.path, &file) == 0 else { return false }
            let inode = String(file.st_ino, radix: 16)
            for number in 3..<200 {
                guard let info = unsafe fopen("/proc/self/fdinfo/\(number)", "r") else { continue }
                defer { unsafe fclose(info) }
                var text: [UInt8] = []
                while case let byte = unsafe fgetc(info), byte >= 0 { text.append(UInt8(byte)) }
                if String(decoding: text, as: UTF8.self).contains("ino:\(inode) ") { return true }
            }
            return false
        }
        // The root is watched first; what is in it follows at once.
        try await Task.sleep(for: .milliseconds(50))
    }

    @Test("new, changed, renamed and removed files are told with their directory")
    func files() async throws {
        let folder = try Folder()
        try folder.write("a/one", "1")
        try folder.write("b/c/two", "2")
        let path = folder.path
        let events = try await told(
            folder,
            steps: [
                { try folder.write("a/new", "x") }, { try folder.write("b/c/two", "xx") },
                { try folder.write("root", "x") },
                { unsafe rename("\(path)/a/one", "\(path)/a/uno") },
                { unsafe unlink("\(path)/a/uno") }, { try folder.touch("b/c/two", 5) },
                { unsafe rename("\(path)/a/new", "\(path)/b/new") },
            ])
        #expect(
            events == [
                .changed(.parts(["a"])), .changed(.parts(["b"])), .changed(.parts(["."])),
                .changed(.parts(["a"])), .changed(.parts(["a"])), .changed(.parts(["b"])),
                .changed(.parts(["a", "b"])),
            ])
    }

    @Test("directories that appear are watched, with what was already in them")
    func newDirectories() async throws {
        let folder = try Folder()
        let other = try Folder()
        try other.write("moved/deep/file", "x")
        let path = folder.path
        let events = try await told(
            folder,
            steps: [
                { try folder.write("x/y/z", "1") }, { try folder.write("x/y/later", "1") },
                { unsafe rename("\(other.path)/moved", "\(path)/moved") },
                { try folder.write("moved/deep/file", "xx") },
                { unsafe rename("\(path)/moved", "\(other.path)/away") },
            ])
        #expect(
            events == [
                .changed(.parts(["x"])), .changed(.parts(["x"])), .changed(.parts(["moved"])),
                .changed(.parts(["moved"])), .changed(.parts(["moved"])),
            ])
    }

    @Test("many changes in a row are told once")
    func debounced() async throws {
        let folder = try Folder()
        try folder.write("a/x", "")
        let events = try await told(
            folder, quiet: .milliseconds(300),
            steps: [
                {
                    for index in 0..<500 { try folder.write("a/\(index)", "x") }
                }, { try folder.write("end", "") },
            ])
        #expect(events == [.changed(.parts(["a"])), .changed(.parts(["."]))])
    }

    @Test("files that are not taken do not count")
    func selection() async throws {
        let folder = try Folder()
        try folder.write("skip/x", "")
        let events = try await told(
            folder,
            {
                $0.include = ["**/*.txt"]
                $0.exclude = ["skip/**"]
            },
            steps: [
                {
                    try folder.write("a.md", "")
                    try folder.write("skip/a.txt", "")
                    try folder.write("skip/new/a.txt", "")
                    try folder.write("b.txt", "")
                }
            ])
        #expect(events == [.changed(.parts(["."]))])
    }

    @Test("a root that appears later, or is put in place of another, is noticed")
    func roots() async throws {
        let folder = try Folder()
        let path = folder.path
        let events = try await told(
            folder, root: "/root",
            steps: [
                {
                    try folder.write("first/a/x", "1")
                    unsafe symlink("first", "\(path)/root")
                },
                { try folder.write("root/a/x", "22") },
                {
                    try folder.write("next/b/y", "1")
                    unsafe symlink("next", "\(path)/new")
                    unsafe rename("\(path)/new", "\(path)/root")
                },
                { try folder.write("root/b/y", "22") },
            ])
        #expect(
            events == [
                .changed(.all), .changed(.parts(["a"])), .changed(.all), .changed(.parts(["b"])),
            ])
    }

    @Test("a lost event is a change of everything")
    func overflow() async throws {
        let folder = try Folder()
        for index in 0..<20 { try folder.write("d\(index)/x", "") }
        let limit = try #require(
            Int(
                (try read("/proc/sys/fs/inotify/max_queued_events")).filter { $0.isNumber }))
        guard limit <= 20_000 else { return }
        // Longer than it takes: the queue overflows while the watcher is held up by nothing but
        // the writer's speed, so the outcome is either all or all the directories.
        let path = folder.path
        let events = try await told(
            folder, quiet: .milliseconds(400),
            steps: [
                {
                    for round in 0..<(limit / 10) {
                        for index in 0..<20 {
                            unsafe rename("\(path)/d\(index)/x", "\(path)/d\(index)/y\(round)")
                            unsafe rename("\(path)/d\(index)/y\(round)", "\(path)/d\(index)/x")
                        }
                    }
                }
            ])
        let all = RefreshScope((0..<20).map { "d\($0)" })
        #expect(events == [.changed(.all)] || events == [.changed(all)])
    }

    private func read(_ path: String) throws -> String {
        let file = unsafe try #require(fopen(path, "r"))
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a late reader misses nothing")
    func late() async throws {
        let folder = try Folder()
        let names = (0..<12).map { "d\($0)" }
        for name in names { try folder.write("\(name)/x", "") }
        let watcher = try DirectoryWatcher(
            DirectorySource(root: folder.path), for: resource(), quiet: .milliseconds(10))
        let events = watcher.events()
        try await waitForWatch(folder)
        for name in names {
            try folder.write("\(name)/x", "x")
            // Longer than the quiet, so that each is told by itself while there is room.
            try await Task.sleep(for: .milliseconds(30))
        }
        var missing = Set(names)
        for await event in events {
            guard case .changed(let scope) = event else { break }
            missing.subtract(scope.parts)
            if missing.isEmpty { break }
        }
        #expect(missing.isEmpty)
    }

    @Test("it ends when its reader is cancelled")
    func cancelling() async throws {
        let folder = try Folder()
        let watcher = try DirectoryWatcher(DirectorySource(root: folder.path), for: resource())
        let task = Task {
            var count = 0
            for await _ in watcher.events() { count += 1 }
            return count
        }
        try await waitForWatch(folder)
        task.cancel()
        #expect(await task.value == 0)
    }

    @Test("a root with parameters cannot be watched")
    func parameters() throws {
        #expect(throws: SourceError.self) {
            try DirectoryWatcher(DirectorySource(root: "/x/{p}"), for: resource(["p"]))
        }
    }
}

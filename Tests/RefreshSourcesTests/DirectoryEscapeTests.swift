import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("A directory source stays beneath its root", .timeLimit(.minutes(1)))
struct DirectoryEscapeTests {
    private func list(_ folder: Folder, scope: RefreshScope = .all) async throws -> String {
        var definition = DirectorySource(root: folder.path + "/root")
        definition.hashesSHA256 = true
        let old = Payload(bytes: Array("[]".utf8), contentType: "application/json")
        return try await source(.directory(definition)).run(
            context(scope: scope, previous: scope == .all ? nil : kept(old))
        ).payload().text
    }

    private func prepared() throws -> Folder {
        let folder = try Folder()
        try folder.write("secret/password", "s3cret")
        try folder.write("root/inside/file", "x")
        return folder
    }

    @Test("symbolic links are not followed, to files, to directories, in a scope, in a loop")
    func links() async throws {
        let folder = try prepared()
        let root = folder.path + "/root"
        for (target, name) in [
            ("\(folder.path)/secret/password", "file"), ("\(folder.path)/secret", "directory"),
            ("../secret", "relative"), ("..", "loop"), ("/etc/passwd", "passwd"),
            ("inside", "friendly"), ("/nowhere", "dangling"), ("self", "self"),
        ] {
            unsafe #expect(symlink(target, "\(root)/link-\(name)") == 0)
        }
        #expect(!(try await list(folder)).contains("link-"))
        for scope in ["link-directory", "link-relative", "link-loop/secret", "link-loop"] {
            #expect(try await list(folder, scope: RefreshScope([scope])) == "[]")
        }
    }

    @Test("only regular files are listed and opened: a FIFO or socket does not block")
    func kinds() async throws {
        let folder = try prepared()
        unsafe #expect(mkfifo(folder.path + "/root/fifo", 0o644) == 0)
        unsafe #expect(mknod(folder.path + "/root/socket", S_IFSOCK | 0o644, 0) == 0)
        let text = try await list(folder)
        #expect(text.contains("inside/file"))
        #expect(!text.contains("fifo"))
        #expect(!text.contains("socket"))
    }

    @Test("directories that are swapped for links while being read lead nowhere")
    func swaps() async throws {
        let folder = try prepared()
        let root = folder.path + "/root"
        for index in 0..<50 { try folder.write("root/d\(index)/password", "x") }
        let isDone = Recorder<Bool>()
        let swapper = Task.detached {
            while isDone.values.isEmpty {
                for index in 0..<50 {
                    unsafe rename("\(root)/d\(index)", "\(root)/held")
                    unsafe symlink("\(folder.path)/secret", "\(root)/d\(index)")
                    unsafe unlink("\(root)/d\(index)")
                    unsafe rename("\(root)/held", "\(root)/d\(index)")
                }
                await Task.yield()
            }
        }
        for _ in 0..<30 {
            let text = try await list(folder)
            #expect(!text.contains("\"size_bytes\":6"))
        }
        isDone.add(true)
        await swapper.value
    }

    @Test("a tree too deep is for good, and nothing is held open after")
    func depth() async throws {
        let folder = try Folder()
        let path = Array(repeating: "d", count: 140).joined(separator: "/")
        try folder.write("root/\(path)/file", "")
        let error = try await failure(
            source(.directory(DirectorySource(root: folder.path + "/root"))), context())
        #expect(error.isPermanent)
        #expect(error.message.contains("deep"))
    }

    @Test("a file that cannot be read is named")
    func unreadable() async throws {
        // As root everything can be read, so this runs as nobody.
        await #expect(processExitsWith: .success) {
            let folder = try Folder()
            try folder.write("open/file", "x")
            try folder.write("open/locked", "x")
            unsafe chmod(folder.path + "/open/locked", 0)
            unsafe chmod(folder.path, 0o755)
            if getuid() == 0 {
                // Its own, so that it can take them away again.
                for name in ["", "/open", "/open/file", "/open/locked"] {
                    try #require(unsafe chown(folder.path + name, 65534, 65534) == 0)
                }
                try #require(setuid(65534) == 0)
            }
            for hashes in [true, false] {
                var definition = DirectorySource(root: folder.path)
                definition.hashesSHA256 = hashes
                let error = try await failure(source(.directory(definition)), context())
                try #require(error.message == "open/locked: Permission denied")
            }
        }
    }

    @Test("parameters in the root cannot lead elsewhere")
    func parameters() async throws {
        let folder = try prepared()
        let run = try source(
            .directory(DirectorySource(root: folder.path + "/root/{name}")), parameters: ["name"])
        let text = try await run.run(context(["name": "inside"])).payload().text
        #expect(text.contains("\"path\":\"file\""))
        for name in ["..", ".", "", "../secret", "/etc"] {
            #expect(try await failure(run, context(["name": name])).isPermanent, "\(name)")
        }
    }

    @Test("cancelling stops a scan at once")
    func cancelling() async throws {
        let folder = try Folder()
        for index in 0..<2000 { try folder.write("root/d\(index % 40)/\(index)", "x") }
        var definition = DirectorySource(root: folder.path + "/root")
        definition.hashesSHA256 = true
        let run = try source(.directory(definition))
        let job = try context()
        let task = Task { try await run.run(job) }
        task.cancel()
        await #expect(throws: SourceError.self) { try await task.value }
    }
}

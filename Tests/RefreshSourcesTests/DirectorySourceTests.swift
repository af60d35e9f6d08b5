import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("Directory source", .timeLimit(.minutes(1)))
struct DirectorySourceTests {
    private func run(
        _ folder: Folder, scope: RefreshScope = .all, previous: Payload? = nil,
        _ change: (inout DirectorySource) -> Void = { _ in },
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> Payload {
        var definition = DirectorySource(root: folder.path)
        change(&definition)
        return try await source(.directory(definition)).run(
            context(scope: scope, previous: previous.map { kept($0) }, report: report)
        ).payload()
    }

    private func failure(
        _ folder: Folder, _ change: (inout DirectorySource) -> Void = { _ in }
    ) async throws -> SourceError {
        var definition = DirectorySource(root: folder.path)
        change(&definition)
        return try await RefreshSourcesTests.failure(source(.directory(definition)), context())
    }

    private func paths(_ payload: Payload) -> [String] {
        payload.text.split(separator: "{\"path\":\"").dropFirst()
            .map { String($0.prefix { $0 != "\"" }) }
    }

    @Test("files are listed by path, with size and time")
    func files() async throws {
        let folder = try Folder()
        try folder.write("b.txt", "12345", modifiedAt: 1_764_325_800)
        try folder.write("a/x.txt", "1", modifiedAt: 0)
        let payload = try await run(folder)
        #expect(
            payload.text == """
                [{"path":"a/x.txt","name":"x.txt","size_bytes":1,"modified_at":"1970-01-01T00:00:00Z"},\
                {"path":"b.txt","name":"b.txt","size_bytes":5,"modified_at":"2025-11-28T10:30:00Z"}]
                """)
        #expect(payload.facts.itemCount == 2)
        #expect(payload.facts.fileCount == 2)
        #expect(payload.facts.collectionsCount == nil)
        #expect(payload.contentType == "application/json")
    }

    @Test("paths are in the order of their bytes, directories among files")
    func order() async throws {
        let folder = try Folder()
        let names = ["a/b", "a-b/c", "a.txt", "a/é", "a0", "B", "a/b-/d", "ab"]
        for name in names { try folder.write(name, "") }
        let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try await paths(run(folder)) == expected)
    }

    @Test("an empty root is an empty array")
    func empty() async throws {
        let folder = try Folder()
        #expect(try await run(folder).text == "[]")
        let payload = try await run(folder) { $0.collections = .subdirectory }
        #expect(payload.text == "[]")
        #expect(payload.facts.collectionsCount == 0)
    }

    @Test("collections are the top-level directories with all below, root files under a dot")
    func collections() async throws {
        let folder = try Folder()
        try folder.write("beta/deep/er/2.tif", "22", modifiedAt: 200)
        try folder.write("beta/1.tif", "1", modifiedAt: 300)
        try folder.write("root.tif", "333", modifiedAt: 100)
        try folder.write("-first/3.tif", "", modifiedAt: 400)
        try folder.write("none/readme.md", "")
        let payload = try await run(folder) {
            $0.collections = .subdirectory
            $0.include = ["**/*.tif"]
        }
        #expect(
            payload.text == """
                [{"name":"-first","path":"-first","file_count":1,"size_bytes":0,\
                "modified_at":"1970-01-01T00:06:40Z","files":[{"path":"-first/3.tif",\
                "name":"3.tif","size_bytes":0,"modified_at":"1970-01-01T00:06:40Z"}]},\
                {"name":".","path":".","file_count":1,"size_bytes":3,\
                "modified_at":"1970-01-01T00:01:40Z","files":[{"path":"root.tif",\
                "name":"root.tif","size_bytes":3,"modified_at":"1970-01-01T00:01:40Z"}]},\
                {"name":"beta","path":"beta","file_count":2,"size_bytes":3,\
                "modified_at":"1970-01-01T00:05:00Z","files":[{"path":"beta/1.tif",\
                "name":"1.tif","size_bytes":1,"modified_at":"1970-01-01T00:05:00Z"},\
                {"path":"beta/deep/er/2.tif","name":"2.tif","size_bytes":2,\
                "modified_at":"1970-01-01T00:03:20Z"}]}]
                """)
        #expect(payload.facts.itemCount == 3)
        #expect(payload.facts.collectionsCount == 3)
        #expect(payload.facts.fileCount == 4)
    }

    @Test("include and exclude choose the files")
    func selection() async throws {
        let folder = try Folder()
        for name in ["a.txt", "b.md", "tmp/c.txt", "x/tmp/d.txt", "x/e.txt", "x/.f.txt"] {
            try folder.write(name, "")
        }
        #expect(
            try await paths(
                run(folder) {
                    $0.include = ["**/*.txt"]
                    $0.exclude = ["**/tmp/**", "**/.*"]
                }) == ["a.txt", "x/e.txt"])
        #expect(try await paths(run(folder) { $0.exclude = ["tmp", "x"] }) == ["a.txt", "b.md"])
    }

    @Test("hashes are those of the content")
    func hashes() async throws {
        let folder = try Folder()
        try folder.write("abc", "abc", modifiedAt: 1)
        let payload = try await run(folder) { $0.hashesSHA256 = true }
        #expect(
            payload.text.contains(
                "\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""))
    }

    @Test("a file whose size and time are as before is not read again; any other is")
    func incremental() async throws {
        let folder = try Folder()
        try folder.write("same", "aaa", modifiedAt: 1000)
        try folder.write("newer", "aaa", modifiedAt: 1000)
        try folder.write("longer", "aaa", modifiedAt: 1000)
        let first = try await run(folder) { $0.hashesSHA256 = true }
        // Its content changes behind size and time, which shows that it is not read.
        try folder.write("same", "bbb", modifiedAt: 1000)
        try folder.write("newer", "bbb", modifiedAt: 1001)
        try folder.write("longer", "bbbb", modifiedAt: 1000)
        let second = try await run(folder, previous: first) { $0.hashesSHA256 = true }
        func hash(_ payload: Payload, _ name: String) -> Substring? {
            payload.text.split(separator: "{").first { $0.contains("\"\(name)\"") }?
                .split(separator: "\"sha256\":").last?.prefix(66)
        }
        #expect(hash(first, "same") == hash(second, "same"))
        #expect(hash(first, "newer") != hash(second, "newer"))
        #expect(hash(first, "longer") != hash(second, "longer"))
        let fresh = try await run(folder) { $0.hashesSHA256 = true }
        #expect(hash(fresh, "same") == hash(fresh, "newer"))
    }

    @Test("a scope reads only its directories again and takes the rest from before")
    func scope() async throws {
        let folder = try Folder()
        for name in ["a/1", "a/b/2", "c/3", "root"] { try folder.write(name, "x", modifiedAt: 1) }
        for collections in DirectorySource.Collections.allCases {
            for name in ["a/1", "a/b/2", "c/3", "root"] {
                try folder.write(name, "x", modifiedAt: 1)
            }
            unsafe unlink("\(folder.path)/a/b/new")
            let change: (inout DirectorySource) -> Void = { $0.collections = collections }
            let first = try await run(folder, change)
            for name in ["a/1", "a/b/2", "c/3", "root", "a/b/new"] {
                try folder.write(name, "xx", modifiedAt: 2)
            }
            let part = try await run(folder, scope: RefreshScope(["a/b"]), previous: first, change)
            #expect(paths(part) == paths(try await run(folder, change)))
            #expect(part.text.contains("{\"path\":\"a/b/2\",\"name\":\"2\",\"size_bytes\":2"))
            #expect(part.text.contains("{\"path\":\"a/1\",\"name\":\"1\",\"size_bytes\":1"))
            #expect(part.text.contains("{\"path\":\"c/3\",\"name\":\"3\",\"size_bytes\":1"))
            let two = try await run(
                folder, scope: RefreshScope(["a", "a/b", "c/"]), previous: first, change)
            #expect(two.text.contains("{\"path\":\"a/1\",\"name\":\"1\",\"size_bytes\":2"))
            #expect(two.text.contains("\"path\":\"root\",\"name\":\"root\",\"size_bytes\":1"))
        }
    }

    @Test("a scope whose directory is gone takes its files out; the dot is the root's own files")
    func scopeGone() async throws {
        let folder = try Folder()
        for name in ["a/1", "c/3", "root"] { try folder.write(name, "x", modifiedAt: 1) }
        let first = try await run(folder) { $0.collections = .subdirectory }
        unsafe unlink("\(folder.path)/a/1")
        unsafe rmdir("\(folder.path)/a")
        try folder.write("root", "xx", modifiedAt: 2)
        let part = try await run(folder, scope: RefreshScope(["a"]), previous: first) {
            $0.collections = .subdirectory
        }
        #expect(paths(part) == ["root", "c/3"])
        #expect(part.text.contains("\"name\":\"root\",\"size_bytes\":1"))
        let dot = try await run(folder, scope: RefreshScope(["."]), previous: first) {
            $0.collections = .subdirectory
        }
        #expect(dot.text.contains("\"name\":\"root\",\"size_bytes\":2"))
        #expect(paths(dot) == ["root", "a/1", "c/3"])
    }

    @Test("without a kept payload, or with a foreign one, a scope reads everything")
    func scopeWithoutPrevious() async throws {
        let folder = try Folder()
        for name in ["a/1", "c/3"] { try folder.write(name, "x") }
        #expect(try await paths(run(folder, scope: RefreshScope(["a"]))) == ["a/1", "c/3"])
        let foreign = Payload(bytes: Array("{}".utf8), contentType: "application/json")
        #expect(
            try await paths(run(folder, scope: RefreshScope(["a"]), previous: foreign))
                == ["a/1", "c/3"])
    }

    @Test("a scope cannot leave the root")
    func scopeEscape() async throws {
        let folder = try Folder()
        for part in ["..", "../x", "/etc", "a/../..", "a//b", "", "a/./b", "\0"] {
            let run = try source(.directory(DirectorySource(root: folder.path)))
            let error = try await RefreshSourcesTests.failure(
                run, context(scope: .parts([part])))
            #expect(error.isPermanent, "\(part)")
        }
    }

    @Test("progress tells files done of total")
    func progress() async throws {
        let folder = try Folder()
        for index in 0..<50 { try folder.write("d/\(index)", "") }
        let told = Recorder<Progress>()
        _ = try await run(folder, report: { told.add($0) })
        #expect(told.values.first == Progress(done: 0, total: 50))
        #expect(told.values.last == Progress(done: 50, total: 50))
    }

    @Test("more than max_files is for good")
    func tooMany() async throws {
        let folder = try Folder()
        for index in 0..<4 { try folder.write("\(index)", "") }
        #expect(try await failure(folder) { $0.maximumFiles = 3 }.isPermanent)
        #expect(try await run(folder) { $0.maximumFiles = 4 }.facts.itemCount == 4)
    }

    @Test("a root that is not there is an error that names it")
    func noRoot() async throws {
        let folder = try Folder()
        let error = try await failure(folder) { $0.root += "/nowhere" }
        #expect(error.message.contains("nowhere: No such file or directory"))
        try folder.write("file", "")
        #expect(
            try await failure(folder) { $0.root += "/file" }.message.contains("Not a directory"))
    }

    @Test("names that are not UTF-8 do not break the payload")
    func notUTF8() async throws {
        let folder = try Folder()
        let name = Array(folder.path.utf8CString.dropLast()) + [0x2F, -1, 0x61, 0]
        close(unsafe open(name, O_CREAT | O_WRONLY, 0o644))
        try folder.write("quote\"back\\slash\nline", "")
        let payload = try await run(folder)
        #expect(payload.facts.itemCount == 2)
        #expect(payload.text.contains("\u{FFFD}a"))
        unsafe unlink(name)
    }
}

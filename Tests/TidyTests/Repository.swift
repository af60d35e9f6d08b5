import FoundationEssentials

/// The files of this repository, as the tests of its order see them.
struct Repository {
    struct File: CustomStringConvertible {
        /// Relative to the root.
        var path: String
        var text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

        /// The directory below `Sources` or `Tests`.
        var module: String {
            let parts = path.split(separator: "/")
            return parts.count > 2 ? String(parts[1]) : ""
        }

        var description: String { path }
    }

    static let root: String = {
        var path = URL(filePath: #filePath)
        for _ in 0..<3 { path.deleteLastPathComponent() }
        return path.path
    }()

    static let swift = files(in: ["Sources", "Tests"], ending: ".swift")
    static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
    static let scripts = files(in: ["Sources/Coordination/Lua"], ending: ".lua")
    static let documents =
        files(in: ["docs", "Benchmarks", "docker"], ending: ".md")
        + [file("README.md"), file("CHANGELOG.md")]
    static let configurations = files(in: ["Config"], ending: ".yaml")

    static func file(_ path: String) -> File {
        let data = FileManager.default.contents(atPath: root + "/" + path) ?? Data()
        return File(path: path, text: String(decoding: data, as: UTF8.self))
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root + "/" + path)
    }

    /// Files below `directories`, sorted; a directory that is not there has none.
    static func files(in directories: [String], ending suffix: String) -> [File] {
        directories.flatMap { directory -> [String] in
            let found = try? FileManager.default.subpathsOfDirectory(
                atPath: root + "/" + directory)
            return (found ?? []).filter { $0.hasSuffix(suffix) }.map { directory + "/" + $0 }
        }
        .sorted().map(file)
    }
}

extension StringProtocol {
    /// What stands before `//`, outside of strings: enough for the words looked for here.
    var code: Substring {
        guard let range = self[...].firstRange(of: "//"), !self[..<range.lowerBound].hasSuffix(":")
        else { return Substring(self) }
        return Substring(self[..<range.lowerBound])
    }
}

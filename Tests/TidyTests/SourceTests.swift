import Testing

/// The rules of this code that no compiler checks.
@Suite("Sources are in order")
struct SourceTests {
    /// Modules that own a C library, and the pointers that come with it.
    private static let unsafeModules: Set<String> = [
        "Runtime", "Codecs", "Redis", "HTTPServer", "Configuration", "RefreshSources",
    ]

    /// Where `@unchecked Sendable` is, with how many; each has its reason on the next lines.
    private static let uncheckedBudget = [
        "Sources/RefreshSources/HTTP/HTTPHop.swift": 1,
        "Sources/Runtime/EventLoop.swift": 1,
        "Sources/Runtime/LoopBound.swift": 1,
    ]

    /// Files that may start a task which is no child of another: mains, and the worker's, whose
    /// sources may ignore that they are cancelled.
    private static let taskStarters: Set<String> = [
        "Sources/freshet-cli/LoopMain.swift", "Sources/demo-source/DemoSource.swift",
        "Sources/Worker/Running/Unattached.swift",
    ]

    @Test("no file is longer than 450 lines, and half are below 120")
    func lengths() {
        for file in Repository.swift {
            #expect(file.lines.count <= 450, "\(file) wants a second look at its idea")
        }
        let counts = Repository.sources.map(\.lines.count).sorted()
        #expect(counts[counts.count / 2] < 120)
    }

    @Test("unsafe code is where a C library is owned, and nowhere else")
    func unsafeCode() {
        for file in Repository.sources where !Self.unsafeModules.contains(file.module) {
            for line in file.lines where line.code.contains("unsafe ") {
                Issue.record("\(file): \(line)")
            }
        }
    }

    @Test("@unchecked Sendable stays within its budget, each with a reason")
    func unchecked() {
        var found: [String: Int] = [:]
        for file in Repository.sources {
            let lines = file.lines
            for (index, line) in lines.enumerated() where line.code.contains("@unchecked") {
                found[file.path, default: 0] += 1
                let next = lines[(index + 1)...].prefix(2).joined()
                #expect(next.contains("//"), "\(file):\(index + 1) gives no reason")
            }
        }
        #expect(found == Self.uncheckedBudget)
    }

    @Test("every task is a child of another, but for the mains'")
    func tasks() {
        for file in Repository.sources where !Self.taskStarters.contains(file.path) {
            for line in file.lines {
                let code = line.code
                for start in ["Task {", "Task(", "Task.detached", "Task.immediate"] {
                    guard let range = code.firstRange(of: start) else { continue }
                    // `startTask(` and `addTask {` are other words.
                    if code[..<range.lowerBound].last?.isLetter == true { continue }
                    Issue.record("\(file): \(line)")
                }
            }
        }
    }

    @Test("each C library is imported by one module only")
    func systemModules() {
        var importers: [String: Set<String>] = [:]
        for file in Repository.sources {
            for line in file.lines {
                guard let range = line.firstRange(of: "import C"),
                    line[..<range.lowerBound].allSatisfy({ $0.isLetter || $0 == " " })
                else { continue }
                let name = "C" + line[range.upperBound...].prefix { $0.isLetter }
                if Repository.exists("Sources/\(name)/module.modulemap") {
                    importers[name, default: []].insert(file.module)
                }
            }
        }
        #expect(!importers.isEmpty)
        for (name, modules) in importers {
            #expect(modules.count == 1, "\(name) is imported by \(modules.sorted())")
        }
    }

    @Test("nothing is left to be done later, no error of the world ends a process")
    func words() {
        let banned = ["TODO", "FIXME", "fatalError(", "try!"]
        for file in Repository.sources {
            for line in file.lines {
                for word in banned where line.contains(word) {
                    Issue.record("\(file): \(line)")
                }
            }
        }
    }

    @Test("full Foundation, which costs start-up time and size, is not imported")
    func foundation() {
        for file in Repository.sources {
            for line in file.lines where line.hasSuffix("import Foundation") {
                Issue.record("\(file): \(line)")
            }
        }
    }
}

import Testing

@testable import freshet_cli

/// What the documents show must be there.
@Suite("Documents are true")
struct DocumentTests {
    /// Lines of fenced blocks, continuations joined.
    private static func commands(of file: Repository.File) -> [String] {
        var isInside = false
        var commands: [String] = []
        var open = ""
        for line in file.lines {
            if line.hasPrefix("```") {
                isInside.toggle()
            } else if isInside {
                if line.hasSuffix("\\") {
                    open += line.dropLast()
                } else {
                    commands.append(open + line)
                    open = ""
                }
            }
        }
        return commands
    }

    @Test("every freshet command that a document shows is one")
    func freshetCommands() throws {
        let parser = ArgumentParser(commands: CommandTable.all)
        var count = 0
        for file in Repository.documents {
            for line in Self.commands(of: file) {
                guard let arguments = Shell.arguments(of: line, to: "freshet") else { continue }
                count += 1
                do throws(UsageError) {
                    _ = try parser.parse(arguments)
                } catch {
                    Issue.record("\(file): \(line): \(error.message)")
                }
            }
        }
        #expect(count > 5)
    }

    @Test("every ./dev command that a document shows is one")
    func devCommands() {
        let help = Repository.file("dev").text
        for file in Repository.documents {
            for line in Self.commands(of: file) {
                guard let command = Shell.arguments(of: line, to: "./dev")?.first else { continue }
                #expect(help.contains("\n\(command)) ") || help.contains("\n\(command) | "))
            }
        }
    }

    @Test("every link to a file of the repository leads to one")
    func links() {
        for file in Repository.documents {
            let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
            for piece in file.text.split(separator: "](").dropFirst() {
                let target = piece.prefix { $0 != ")" && $0 != "#" && $0 != " " }
                if target.isEmpty || target.contains("://") { continue }
                let path = folder.isEmpty ? String(target) : "\(folder)/\(target)"
                #expect(Repository.exists(path), "\(file) links to \(target)")
            }
        }
    }
}

/// As much of a shell's grammar as documents use.
enum Shell {
    /// The arguments of the call of `program` that begins `line`; `nil` when it calls another.
    static func arguments(of line: String, to program: String) -> [String]? {
        var text = line[...]
        if text.hasPrefix("$ ") { text = text.dropFirst(2) }
        guard text == program || text.hasPrefix(program + " ") else { return nil }
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isOpen = false
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isOpen = true
            } else if character == " " {
                if isOpen { words.append(word) }
                word = ""
                isOpen = false
            } else if "|>&#;".contains(character), !isOpen {
                break
            } else {
                word.append(character)
                isOpen = true
            }
        }
        if isOpen { words.append(word) }
        return Array(words.dropFirst())
    }
}

/// docs/operating.md explains what an operator sees.
@Suite("Operators find an explanation")
struct ExplanationTests {
    private static let page = Repository.file("docs/operating.md").text

    @Test("every metric is explained, and every explained metric exists")
    func metrics() {
        var names: Set<Substring> = []
        for file in Repository.sources where file.module != "freshet-cli" {
            for line in file.lines {
                for piece in line.code.split(separator: "\"freshet_").dropFirst() {
                    let name = "freshet_" + piece.prefix { $0.isLetter || $0 == "_" }
                    // What ends in `_` is the beginning of a composed name.
                    if !name.hasSuffix("_") { names.insert(Substring(name)) }
                }
            }
        }
        #expect(names.count > 10)
        for name in names where !Self.page.contains("`\(name)`") {
            Issue.record("docs/operating.md does not explain the metric \(name)")
        }
        for name in Self.explained(where: { $0.hasPrefix("freshet_") && !$0.contains("{") })
        where !names.contains(where: { $0.hasPrefix(name) }) {
            Issue.record("docs/operating.md explains \(name), which is no metric")
        }
    }

    @Test("every event of the log is explained, and every explained event exists")
    func events() {
        var names: Set<Substring> = []
        for file in Repository.sources {
            for level in ["debug", "info", "warning", "error"] {
                for piece in file.text.split(separator: "Log.\(level)(").dropFirst() {
                    let literal = piece.drop { $0.isWhitespace }
                    guard literal.first == "\"" else { continue }
                    let name = literal.dropFirst().prefix { $0 != "\"" && $0 != "\\" }
                    // `"\(role).failed"` has no name of its own.
                    if name.contains(".") { names.insert(name) }
                }
            }
        }
        #expect(names.count > 10)
        for name in names where !Self.page.contains("`\(name)`") {
            Issue.record("docs/operating.md does not explain the event \(name)")
        }
        let prefixes = Set(names.map { $0.prefix { $0 != "." } })
        for name in Self.explained(where: { $0.split(separator: ".").count == 2 })
        where prefixes.contains(name.prefix { $0 != "." })
            && !Repository.sources.contains(where: { $0.text.contains("\"\(name)\"") })
        {
            // Configuration fields look alike but begin with other words.
            let isField =
                ["refresh.", "worker.drain_timeout", "worker.concurrency", "redis.wait"]
                .contains { name.hasPrefix($0) }
                || name.hasPrefix("api.") && name != "api.started"
            if !isField { Issue.record("docs/operating.md explains \(name), which is no event") }
        }
    }

    /// Words in back quotes.
    private static func explained(where isWanted: (String) -> Bool) -> [String] {
        page.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            .filter { !$0.contains(" ") && !$0.contains("/") && isWanted($0) }
    }
}

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

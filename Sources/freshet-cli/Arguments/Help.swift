/// Help texts, made from the table of commands.
struct Help {
    private static let width = 88

    var commands: [CommandSpec]

    /// The text for `name`: a command, a group such as `config`, or everything.
    func text(for name: String?) -> String {
        guard let name else { return overview }
        if let command = commands.first(where: { $0.name == name }) { return text(of: command) }
        return commands.filter { $0.name.hasPrefix(name + " ") }.map { text(of: $0) }
            .joined(separator: "\n")
    }

    private var overview: String {
        let width = commands.map(\.name.count).max() ?? 0
        let groups: [(title: String, names: (CommandSpec) -> Bool)] = [
            ("Run", { command in ["up", "api", "worker", "scheduler"].contains(command.name) }),
            ("Operate", { command in CommandTable.operators.contains(command) }),
        ]
        var lines = [
            "freshet keeps slow data fresh: it serves what is kept at once and refreshes it once,",
            "in the background, over any number of processes that share one Redis.", "",
            "Usage: freshet COMMAND [FLAGS]",
        ]
        var listed: Set<String> = []
        func list(_ title: String, _ members: [CommandSpec]) {
            lines += ["", "\(title):"]
            for command in members {
                listed.insert(command.name)
                lines.append("  \(pad(command.name, width))  \(command.summary)")
            }
        }
        for group in groups { list(group.title, commands.filter(group.names)) }
        list("Tools", commands.filter { !listed.contains($0.name) })
        lines += [
            "  \(pad("help", width))  help for a command: freshet help refresh",
            "", "freshet --version prints the version.",
            "", "Environment (a flag beats it, it beats the file):",
            "  FRESHET_CONFIG, FRESHET_REDIS_URL, FRESHET_LISTEN,",
            "  FRESHET_LOG_LEVEL (debug, info, warning, error), FRESHET_LOG_FORMAT (text, json)",
            "", "Exit codes:",
            "  0 done · 1 failed, or no such key or job · 64 usage · 69 Redis unreachable ·",
            "  78 bad configuration",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(of command: CommandSpec) -> String {
        var lines = ["freshet \(command.name): \(command.summary)", "", "Usage: \(usage(command))"]
        for paragraph in command.details { lines += [""] + wrap(paragraph, indent: 0) }
        let rows =
            command.operands.map { ($0.name, $0.help) }
            + command.allFlags.map { flag in
                (flag.signature, flag.help + (flag.environment.map { "  [\($0)]" } ?? ""))
            }
        let width = rows.map(\.0.count).max() ?? 0
        lines.append("")
        for (name, help) in rows {
            let wrapped = wrap(help, indent: width + 4)
            lines.append("  \(pad(name, width))  \(wrapped[0].drop { $0 == " " })")
            lines += wrapped.dropFirst()
        }
        lines += ["", command.examples.count == 1 ? "Example:" : "Examples:"]
        let longest = command.examples.map(\.call.count).max() ?? 0
        for example in command.examples {
            let note = example.what.isEmpty ? "" : "   # \(example.what)"
            let call = note.isEmpty ? example.call : pad(example.call, longest)
            lines.append("  \(call)\(note)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func usage(_ command: CommandSpec) -> String {
        var words = ["freshet", command.name]
        words += command.operands.map { $0.isRequired ? $0.name : "[\($0.name)]" }
        var shown: Set<String> = []
        if !command.exclusive.isEmpty {
            let choice = command.exclusive.compactMap { command.flag(named: $0)?.signature }
            words.append("[\(choice.joined(separator: "|"))]")
            shown.formUnion(command.exclusive)
        }
        for flag in command.flags where !shown.contains(flag.name) {
            words.append("[\(flag.signature)]" + (flag.repeats ? "…" : ""))
        }
        return words.joined(separator: " ")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func wrap(_ text: String, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: true) {
            if !line.isEmpty, indent + line.count + 1 + word.count > Self.width {
                lines.append(margin + line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        return lines + [margin + line]
    }
}

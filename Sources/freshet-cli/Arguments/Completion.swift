/// Shell completion scripts, made from the table of commands. They hold everything they offer, so
/// pressing Tab starts no process.
struct Completion {
    var commands: [CommandSpec]

    /// The script for `shell`, one of bash, zsh and fish.
    func script(for shell: String) -> String {
        switch shell {
        case "zsh": zsh
        case "fish": fish
        default: bash
        }
    }

    /// First words: `up`, `config`, …
    private var firstWords: [String] {
        var words: [String] = []
        for command in commands {
            let word = String(command.name.prefix { $0 != " " })
            if !words.contains(word) { words.append(word) }
        }
        return words + ["help"]
    }

    /// Second words of the commands that have two, by their first.
    private var groups: [(word: String, seconds: [CommandSpec])] {
        firstWords.compactMap { word in
            let seconds = commands.filter { $0.name.hasPrefix(word + " ") }
            return seconds.isEmpty ? nil : (word, seconds)
        }
    }

    private func second(_ command: CommandSpec) -> String {
        String(command.name.drop { $0 != " " }.dropFirst())
    }

    // MARK: bash

    private var bash: String {
        var lines = [
            "# bash completion for freshet: source <(freshet completion bash)",
            "_freshet() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
            "    local command=${COMP_WORDS[1]-}",
            "    COMPREPLY=()",
            "    if ((COMP_CWORD == 1)); then",
            "        COMPREPLY=($(compgen -W '\((firstWords + ["--version"]).joined(separator: " "))'"
                + " -- \"$current\"))",
            "        return",
            "    fi",
        ]
        for group in groups {
            lines += [
                "    if [[ $command == \(group.word) ]]; then",
                "        if ((COMP_CWORD == 2)); then",
                "            COMPREPLY=($(compgen -W "
                    + "'\(group.seconds.map(second).joined(separator: " "))' -- \"$current\"))",
                "            return",
                "        fi",
                "        command+=\" ${COMP_WORDS[2]}\"",
                "    fi",
            ]
        }
        lines.append("    case \"$command $previous\" in")
        for command in commands {
            for flag in command.flags where flag.takesValue {
                if let values = bashValues(flag.kind) {
                    lines.append("    '\(command.name) --\(flag.name)') \(values); return ;;")
                } else {
                    lines.append("    '\(command.name) --\(flag.name)') return ;;")
                }
            }
        }
        lines += ["    esac", "    case $command in"]
        for command in commands {
            let flags = command.allFlags.map { "--" + $0.name }.joined(separator: " ")
            var action = "COMPREPLY=($(compgen -W '\(flags)' -- \"$current\"))"
            if let operand = command.operands.first {
                switch operand.kind {
                case .file: action = "[[ $current == -* ]] && \(action) || \(bashFiles)"
                case .choice(let choices):
                    action =
                        "COMPREPLY=($(compgen -W '\(choices.joined(separator: " ")) \(flags)'"
                        + " -- \"$current\"))"
                case .text, .command: break
                }
            }
            lines.append("    '\(command.name)') \(action) ;;")
        }
        let topics = firstWords.dropLast().joined(separator: " ")
        lines += [
            "    help) COMPREPLY=($(compgen -W '\(topics)' -- \"$current\")) ;;",
            "    esac", "}", "complete -o filenames -F _freshet freshet",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private let bashFiles = "COMPREPLY=($(compgen -f -- \"$current\"))"

    private func bashValues(_ kind: FlagSpec.Kind) -> String? {
        switch kind {
        case .file: bashFiles
        case .directory: "COMPREPLY=($(compgen -d -- \"$current\"))"
        case .choice(let choices), .choices(let choices):
            "COMPREPLY=($(compgen -W '\(choices.joined(separator: " "))' -- \"$current\"))"
        case .toggle, .text, .number: nil
        }
    }

    // MARK: zsh

    private var zsh: String {
        var lines = [
            "#compdef freshet",
            "# zsh completion for freshet: freshet completion zsh > ${fpath[1]}/_freshet",
            "_freshet() {",
            "    local -a commands",
            "    commands=(",
        ]
        for command in commands where !command.name.contains(" ") {
            lines.append("        \(quote("\(command.name):\(command.summary)"))")
        }
        for group in groups {
            let names = group.seconds.map(second).joined(separator: ", ")
            lines.append("        \(quote("\(group.word):\(names)"))")
        }
        lines += [
            "        \(quote("help:help for a command"))",
            "    )",
            "    if ((CURRENT == 2)); then _describe command commands; return; fi",
            "    local command=$words[2]",
        ]
        for group in groups {
            let choices = group.seconds.map(second).joined(separator: " ")
            lines += [
                "    if [[ $command == \(group.word) ]]; then",
                "        if ((CURRENT == 3)); then compadd \(choices); return; fi",
                "        command+=\" $words[3]\"",
                "        words=(\"${(@)words[2,-1]}\"); ((CURRENT--))",
                "    fi",
            ]
        }
        lines += ["    words=(\"${(@)words[2,-1]}\"); ((CURRENT--))", "    case $command in"]
        for command in commands {
            var arguments = command.allFlags.map(zshArgument)
            arguments += command.operands.enumerated().map { index, operand in
                quote("\(index + 1):\(operand.name):\(zshAction(operand.kind))")
            }
            lines.append(
                "    \(quote(command.name))) _arguments \(arguments.joined(separator: " ")) ;;")
        }
        lines += [
            "    help) _describe command commands ;;", "    esac", "}",
            // From fpath the file is the function's body; sourced, it registers it.
            "if [[ $funcstack[1] == _freshet ]]; then _freshet \"$@\"; "
                + "else compdef _freshet freshet; fi",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private func zshArgument(_ flag: FlagSpec) -> String {
        let description = flag.help.filter { !"[]:".contains($0) }
        let star = flag.repeats ? "*" : ""
        guard flag.takesValue else { return quote("\(star)--\(flag.name)[\(description)]") }
        return quote(
            "\(star)--\(flag.name)=[\(description)]:\(flag.placeholder):\(zshAction(flag.kind))")
    }

    private func zshAction(_ kind: FlagSpec.Kind) -> String {
        switch kind {
        case .file: "_files"
        case .directory: "_files -/"
        case .choice(let choices): "(\(choices.joined(separator: " ")))"
        case .choices(let choices): "_values -s , value \(choices.joined(separator: " "))"
        case .toggle, .text, .number: ""
        }
    }

    private func zshAction(_ kind: OperandSpec.Kind) -> String {
        switch kind {
        case .file: "_files"
        case .choice(let choices): "(\(choices.joined(separator: " ")))"
        case .text, .command: ""
        }
    }

    // MARK: fish

    private var fish: String {
        var lines = [
            "# fish completion for freshet: freshet completion fish | source",
            "complete -c freshet -f",
        ]
        for command in commands where !command.name.contains(" ") {
            lines.append(
                "complete -c freshet -n __fish_use_subcommand -a \(command.name)"
                    + " -d \(fishQuote(command.summary))")
        }
        for group in groups {
            let seconds = group.seconds.map(second)
            lines.append("complete -c freshet -n __fish_use_subcommand -a \(group.word)")
            lines.append(
                "complete -c freshet -n '__fish_seen_subcommand_from \(group.word); and not "
                    + "__fish_seen_subcommand_from \(seconds.joined(separator: " "))'"
                    + " -a '\(seconds.joined(separator: " "))'")
        }
        lines.append(
            "complete -c freshet -n __fish_use_subcommand -l version -d 'print the version'")
        lines.append(
            "complete -c freshet -n '__fish_seen_subcommand_from help'"
                + " -a '\(firstWords.dropLast().joined(separator: " "))'")
        for command in commands {
            let words = command.name.split(separator: " ")
            let seen = words.map { "__fish_seen_subcommand_from \($0)" }
                .joined(separator: "; and ")
            for flag in command.allFlags { lines.append(fishLine(flag, when: seen)) }
            for operand in command.operands {
                switch operand.kind {
                case .file: lines.append("complete -c freshet -n '\(seen)' -F")
                case .choice(let choices):
                    lines.append(
                        "complete -c freshet -n '\(seen)' -a '\(choices.joined(separator: " "))'")
                case .text, .command: break
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func fishLine(_ flag: FlagSpec, when seen: String) -> String {
        var line = "complete -c freshet -n '\(seen)' -l \(flag.name) -d \(fishQuote(flag.help))"
        switch flag.kind {
        case .toggle: break
        case .text, .number: line += " -x"
        case .file, .directory: line += " -r -F"
        case .choice(let choices), .choices(let choices):
            line += " -x -a '\(choices.joined(separator: " "))'"
        }
        return line
    }

    private func quote(_ text: String) -> String {
        "'" + text.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }

    private func fishQuote(_ text: String) -> String {
        "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }
}

/// A mistake in how `freshet` was called; exit code 64.
struct UsageError: Error, Equatable {
    var message: String
    /// The command whose help tells more; `nil` when none was recognized.
    var command: String?
}

/// A checked call: which command, with what.
struct Invocation: Equatable {
    var command: CommandSpec
    var operands: [String] = []
    /// Values by flag name, in the order given; a switch has an empty list.
    var values: [String: [String]] = [:]

    /// Whether the flag was given.
    func has(_ flag: String) -> Bool { values[flag] != nil }

    /// The last value of the flag; `nil` when it was not given.
    func value(_ flag: String) -> String? { values[flag]?.last }

    /// All values of a flag that repeats.
    func all(_ flag: String) -> [String] { values[flag] ?? [] }

    /// The value of a flag whose kind is a number, which the parser checked.
    func number(_ flag: String) -> Int? { value(flag).flatMap { Int($0) } }

    var operand: String? { operands.first }
}

/// Turns arguments into an `Invocation` by the table of commands alone.
struct ArgumentParser {
    /// What the arguments ask for.
    enum Outcome: Equatable {
        case run(Invocation)
        case help(command: String?)
        case version
    }

    var commands: [CommandSpec]

    func parse(_ arguments: [String]) throws(UsageError) -> Outcome {
        guard let first = arguments.first else {
            throw UsageError(message: "which command?", command: nil)
        }
        switch first {
        case "--version", "-V": return .version
        case "--help", "-h": return .help(command: nil)
        case "help":
            return .help(command: try helpTopic(arguments.dropFirst()))
        default: break
        }
        if first.hasPrefix("-") {
            throw unknownFlag(first, among: ["help", "version"], command: nil)
        }
        if arguments.count > 1, ["-h", "--help"].contains(arguments[1]), isGroup(first) {
            return .help(command: first)
        }
        let (command, rest) = try findCommand(arguments)
        return try parse(rest, of: command)
    }

    private func helpTopic(_ words: ArraySlice<String>) throws(UsageError) -> String? {
        guard !words.isEmpty else { return nil }
        // `help config` shows the group when `config` alone is no command.
        let name = words.joined(separator: " ")
        if commands.contains(where: { $0.name == name || $0.name.hasPrefix(name + " ") }) {
            return name
        }
        throw unknownCommand(name)
    }

    /// Whether `word` is the first of commands of two words and no command by itself.
    private func isGroup(_ word: String) -> Bool {
        commands.contains { $0.name.hasPrefix(word + " ") }
            && !commands.contains { $0.name == word }
    }

    private func findCommand(
        _ arguments: [String]
    ) throws(UsageError) -> (CommandSpec, ArraySlice<String>) {
        for length in [2, 1] where arguments.count >= length {
            let name = arguments.prefix(length).joined(separator: " ")
            if let command = commands.first(where: { $0.name == name }) {
                return (command, arguments.dropFirst(length))
            }
        }
        let group = commands.filter { $0.name.hasPrefix(arguments[0] + " ") }
        if !group.isEmpty {
            let rest = arguments.dropFirst()
            let second = rest.first { !$0.hasPrefix("-") }
            let names = group.map { "`freshet \($0.name)`" }.joined(separator: ", ")
            let message =
                second.map { "unknown command `\(arguments[0]) \($0)`" }
                ?? "`\(arguments[0])` needs a second word"
            throw UsageError(message: "\(message): there is \(names)", command: nil)
        }
        throw unknownCommand(arguments[0])
    }

    private func parse(
        _ arguments: ArraySlice<String>, of command: CommandSpec
    ) throws(UsageError) -> Outcome {
        var invocation = Invocation(command: command)
        var rest = arguments
        var onlyOperands = false
        while let argument = rest.popFirst() {
            if onlyOperands || !argument.hasPrefix("-") || argument == "-" {
                invocation.operands.append(argument)
            } else if argument == "--" {
                onlyOperands = true
            } else if argument == "-h" || argument == "--help" {
                return .help(command: command.name)
            } else {
                try take(argument, &rest, into: &invocation)
            }
        }
        try checkOperands(invocation)
        try checkExclusive(invocation)
        return .run(invocation)
    }

    private func take(
        _ argument: String, _ rest: inout ArraySlice<String>, into invocation: inout Invocation
    ) throws(UsageError) {
        let command = invocation.command
        let sides = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard argument.hasPrefix("--"),
            let flag = command.flag(named: String(sides[0].dropFirst(2)))
        else {
            throw unknownFlag(
                String(sides[0]), among: command.allFlags.map(\.name), command: command.name)
        }
        func refuse(_ message: String) -> UsageError {
            UsageError(message: "--\(flag.name) \(message)", command: command.name)
        }
        guard flag.repeats || !invocation.has(flag.name) else { throw refuse("is given twice") }
        guard flag.takesValue else {
            guard sides.count == 1 else { throw refuse("takes no value") }
            invocation.values[flag.name] = []
            return
        }
        let value: String
        if sides.count == 2 {
            value = String(sides[1])
        } else {
            // `--config --port 1` forgot a value; a value that begins with dashes needs `=`.
            guard let next = rest.first, !next.hasPrefix("--") else {
                throw refuse("needs a value, \(flag.placeholder)")
            }
            rest.removeFirst()
            value = next
        }
        if let problem = flag.problem(with: value) { throw refuse(problem) }
        invocation.values[flag.name, default: []].append(value)
    }

    private func checkOperands(_ invocation: Invocation) throws(UsageError) {
        let specs = invocation.command.operands
        let given = invocation.operands
        if given.count > specs.count {
            throw UsageError(
                message: "unexpected argument `\(given[specs.count])`",
                command: invocation.command.name)
        }
        for (index, spec) in specs.enumerated() {
            guard index < given.count else {
                guard !spec.isRequired else {
                    throw UsageError(
                        message: "\(spec.name) is missing: \(spec.help)",
                        command: invocation.command.name)
                }
                continue
            }
            if given[index].isEmpty {
                throw UsageError(
                    message: "\(spec.name) is empty", command: invocation.command.name)
            }
            if case .choice(let choices) = spec.kind, !choices.contains(given[index]) {
                throw UsageError(
                    message: "\(spec.name) is one of \(choices.joined(separator: ", ")), "
                        + "not `\(given[index])`",
                    command: invocation.command.name)
            }
        }
    }

    private func checkExclusive(_ invocation: Invocation) throws(UsageError) {
        let given = invocation.command.exclusive.filter(invocation.has)
        guard given.count > 1 else { return }
        throw UsageError(
            message: "--\(given[0]) and --\(given[1]) cannot be given together",
            command: invocation.command.name)
    }

    private func unknownFlag(
        _ given: String, among names: [String], command: String?
    ) -> UsageError {
        let bare = String(given.drop { $0 == "-" })
        let hint = Suggestion.nearest(to: bare, among: names).map { "; did you mean --\($0)?" }
        return UsageError(message: "unknown flag \(given)\(hint ?? "")", command: command)
    }

    private func unknownCommand(_ given: String) -> UsageError {
        let names = commands.map(\.name) + ["help"]
        let hint = Suggestion.nearest(to: given, among: names).map { "; did you mean `\($0)`?" }
        return UsageError(message: "unknown command `\(given)`\(hint ?? "")", command: nil)
    }
}

extension FlagSpec {
    /// Why `value` is not one of this flag's; `nil` when it is.
    func problem(with value: String) -> String? {
        switch kind {
        case .toggle: return nil
        case .text, .file, .directory: return value.isEmpty ? "is empty" : nil
        case .number(let range):
            if let number = Int(value), range.contains(number) { return nil }
            return "is a number from \(range.lowerBound) to \(range.upperBound), not `\(value)`"
        case .choice(let choices):
            return choices.contains(value) ? nil : unknown(value, among: choices)
        case .choices(let choices):
            let parts = value.split(separator: ",", omittingEmptySubsequences: false)
            return parts.map(String.init).first { !choices.contains($0) }
                .map { unknown($0, among: choices) }
        }
    }

    private func unknown(_ value: String, among choices: [String]) -> String {
        let hint = Suggestion.nearest(to: value, among: choices).map { "; did you mean `\($0)`?" }
        return "does not know `\(value)`, only \(choices.joined(separator: ", "))\(hint ?? "")"
    }
}

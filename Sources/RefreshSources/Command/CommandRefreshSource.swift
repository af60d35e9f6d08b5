internal import FreshetModel

/// The `command` source: a program whose standard output is the payload; contract section 6.
struct CommandRefreshSource: RefreshSource {
    private static let permanentStatus: Int32 = 65

    private let definition: CommandSource
    private let program: String
    private let arguments: [Template]
    private let environment: [String: Template]
    private let workingDirectory: Template?

    init(_ definition: CommandSource, declared: [ParameterRule]) throws(SourceError) {
        self.definition = definition
        guard let program = definition.argv.first, !program.isEmpty else {
            throw .permanent("argv is empty")
        }
        guard try !Template(program, declared: declared).hasParameters else {
            throw .permanent("the program cannot be a parameter")
        }
        self.program = program
        var arguments: [Template] = []
        for text in definition.argv.dropFirst() {
            arguments.append(try Template(text, declared: declared))
        }
        self.arguments = arguments
        var environment: [String: Template] = [:]
        for (name, text) in definition.environment {
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0) else {
                throw .permanent("\(name) cannot be the name of an environment variable")
            }
            environment[name] = try Template(text, declared: declared)
        }
        self.environment = environment
        if let directory = definition.workingDirectory {
            workingDirectory = try Template(directory, declared: declared)
        } else {
            workingDirectory = nil
        }
    }

    /// What the parameters of a key make of the definition.
    private struct Expansion: Sendable {
        var arguments: [String]
        var environment: [String: String] = [:]
        var workingDirectory: String?
    }

    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        let expansion = try expand(context.key)
        let previous = await context.previous?.load()
        let source = self
        return try await BlockingThread.run("command", onCancel: .wait) {
            cancellation throws(SourceError) in
            try source.run(context, expansion, previous: previous, cancellation)
        }
    }

    private func expand(_ key: Key) throws(SourceError) -> Expansion {
        var expansion = Expansion(arguments: try expandArguments(key))
        for (name, template) in environment {
            expansion.environment[name] = try template.expandPlain(key)
        }
        if let workingDirectory {
            expansion.workingDirectory = try PathTemplate.expand(workingDirectory, key)
        }
        return expansion
    }

    /// A value that begins an argument with `-` would be an option, which nobody offered.
    private func expandArguments(_ key: Key) throws(SourceError) -> [String] {
        var texts: [String] = []
        for template in arguments {
            let text = try template.expandPlain(key)
            guard !(template.beginsWithParameter && text.hasPrefix("-")) else {
                throw .permanent("a parameter that begins with - cannot begin an argument")
            }
            texts.append(text)
        }
        return texts
    }

    private func run(
        _ context: SourceContext, _ expansion: Expansion, previous: [UInt8]?,
        _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        guard let previous else {
            return try run(context, expansion, previousPath: nil, cancellation)
        }
        let file = try TemporaryFile(previous)
        return try run(context, expansion, previousPath: file.path, cancellation)
    }

    private func run(
        _ context: SourceContext, _ expansion: Expansion, previousPath: String?,
        _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        let environment = CommandEnvironment.make(
            context, additions: expansion.environment, previousPath: previousPath)
        let path = environment["PATH"] ?? CommandEnvironment.standardPath
        guard let found = CommandEnvironment.find(program, path: path) else {
            throw SourceError("\(program) is not in PATH")
        }
        let run = CommandRun(
            maximumBytes: definition.maximumBytes, lines: ProgressLines(report: context.report))
        let ending = run.run(
            CommandStart(
                path: found, arguments: [program] + expansion.arguments, environment: environment,
                workingDirectory: expansion.workingDirectory), cancellation)
        switch ending {
        case .exited(status: 0): return try outcome(run, context)
        case .exited(let status):
            throw failure(
                run, "\(program) ended with exit status \(status)",
                isPermanent: status == Self.permanentStatus)
        case .signalled(let signal):
            throw failure(run, "\(program) was ended by signal \(signal)", isPermanent: false)
        case .overflow:
            throw .permanent(
                "standard output passed max_bytes, \(definition.maximumBytes) bytes")
        case .cancelled: throw .cancelled
        case .notStarted(let reason): throw SourceError("\(program) did not start: \(reason)")
        }
    }

    private func outcome(
        _ run: CommandRun, _ context: SourceContext
    ) throws(SourceError) -> SourceOutcome {
        guard run.lines.isNotModified else {
            return .payload(
                try Payload.checked(run.output, contentType: definition.contentType))
        }
        guard context.previous != nil else {
            throw SourceError("\(program) said not_modified, but no payload is kept")
        }
        return .notModified
    }

    private func failure(_ run: CommandRun, _ what: String, isPermanent: Bool) -> SourceError {
        let text = run.errors.text
        return SourceError(text.isEmpty ? what : text, isPermanent: isPermanent)
    }
}

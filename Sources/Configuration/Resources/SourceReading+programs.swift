internal import FreshetModel

extension SourceReading {
    mutating func readCommand(_ fields: Fields) -> Bool {
        let report = fields.report
        guard let entry = fields["argv"] else {
            if fields.isMapping, !fields.isMisspelled("argv") {
                report.error(fields.place, "`source.command` needs `argv`")
            }
            return false
        }
        guard let argv = fields.list("argv", of: "program and arguments", Values.anyText) else {
            return false
        }
        guard let program = argv.first, !program.value.isEmpty else {
            // An item that is wrong has been reported; a list without items has not.
            if entry.value.isEmptyList {
                report.error(entry.value.place, "`argv` names no program")
            } else if argv.first != nil {
                report.error(entry.value.place, "`argv` begins with an empty program")
            }
            return false
        }
        if let name = Placeholders.names(in: program.value).first {
            report.error(
                program.place, "a caller would choose the program: `{\(name)}` stands in its name")
        }
        var command = CommandSource(argv: argv.map(\.value))
        for argument in argv.dropFirst() { note(argument, .argument) }
        for (name, text) in fields.map("environment") ?? [] {
            if !Interpolation.isName(name.value) {
                report.error(
                    name.place, "\(Fields.quoted(name.value)) is no name of an environment variable"
                )
            } else if name.value.hasPrefix("FRESHET_") {
                report.error(
                    name.place, "`\(name.value)`: names that begin with FRESHET_ are set by Freshet"
                )
            }
            command.environment[name.value] = text.value
            note(text, .variable)
        }
        if let directory = fields.read("working_directory", Values.text) {
            command.workingDirectory = directory.value
            note(directory, .path)
        }
        fields.read("content_type", into: &command.contentType) { node throws(ValueError) in
            let type = try Values.text(node)
            let essence = type.prefix { $0 != ";" }.split(
                separator: "/", omittingEmptySubsequences: false)
            let isType =
                essence.count == 2 && essence.allSatisfy { !$0.isEmpty }
                && type.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && !essence[0].contains(" ")
            guard isType else {
                throw ValueError("expected a media type such as `text/csv`, found \(node.kind)")
            }
            return type
        }
        fields.read("max_bytes", into: &command.maximumBytes, Self.sizes)
        definition = .command(command)
        return true
    }

    mutating func readPostgres(_ fields: Fields) -> Bool {
        let url = fields.require("url") { node throws(ValueError) in
            let url = try Values.text(node)
            guard ["postgres://", "postgresql://"].contains(where: url.hasPrefix) else {
                throw ValueError("a PostgreSQL URL begins with postgres:// or postgresql://")
            }
            return url
        }
        let query = fields.require("query", Values.text)
        let parameters = fields.list("parameters", of: "values for $1…", Values.anyText) ?? []
        for parameter in parameters { note(parameter, .query) }
        guard let url, let query else { return false }
        self.query = query
        let wanted = SQLText.parameterCount(query.value)
        var given = 0
        if case .sequence(let items)? = fields["parameters"]?.value.content { given = items.count }
        if wanted != given {
            let names = wanted == 0 ? "no `$1`" : wanted == 1 ? "`$1`" : "`$1` to `$\(wanted)`"
            fields.report.error(
                query.place,
                "the query has \(names), `parameters` has \(given == 1 ? "1 value" : "\(given) values")"
            )
        }
        var postgres = PostgresSource(url: url.value, query: query.value)
        postgres.parameters = parameters.map(\.value)
        fields.read("max_rows", into: &postgres.maximumRows, Values.integer(1...1_000_000_000))
        definition = .postgres(postgres)
        return true
    }
}

internal import FreshetModel

/// `source:` of a resource: the definition and the templates in it, to be checked against the
/// parameters of each resource that has the source, its own or inherited.
struct SourceReading {
    /// Where a template stands, which decides what its parameters can do there.
    enum Use {
        /// Percent-encoded.
        case url
        case header
        case body
        case argument
        case variable
        case query
        /// A path of a file or directory.
        case path
    }

    struct Template {
        var text: String
        var place: Place
        var use: Use
    }

    var definition: SourceDefinition
    var place: Place
    var templates: [Template] = []
    /// `timeout` of an `http` source, when it is said.
    var timeout: Located<Duration>?
    /// `query` of a `postgres` source.
    var query: Located<String>?

    /// Reads the one source of `resource`; `nil` when it is wrong, which has been reported.
    init?(_ node: Node, resource: String, _ report: Report) {
        let kinds = FieldNames.sources.map { "`\($0)`" }.joined(separator: ", ")
        guard case .mapping(let entries) = node.content, let first = entries.first else {
            if !node.isBroken {
                report.error(
                    node.place,
                    "`source` of `\(resource)` is one of \(kinds), such as `{http: {url: …}}`; "
                        + "found \(node.isNull ? "nothing" : node.kind)")
            }
            return nil
        }
        for entry in entries where !FieldNames.sources.contains(entry.key) {
            let homes = FieldNames.sections.filter {
                $0.title.hasPrefix("`source.") && $0.names.contains(entry.key)
            }
            let hint = Suggestion.ending(for: entry.key, among: FieldNames.sources)
            report.error(
                entry.keyPlace,
                "\(Fields.quoted(entry.key)) is no source; the sources are \(kinds)"
                    + (hint.isEmpty && !homes.isEmpty
                        ? "; it belongs to \(homes.map(\.title).joined(separator: " or "))" : hint)
            )
        }
        let known = entries.filter { FieldNames.sources.contains($0.key) }
        if known.count > 1 {
            report.error(
                known[1].keyPlace,
                "`\(resource)` has two sources, `\(known[0].key)` and `\(known[1].key)`; one of them counts"
            )
        }
        guard known.count == 1, let entry = known.first else { return nil }
        let fields = Fields(
            entry.value, of: "`source.\(entry.key)`", known: FieldNames.fields(ofSource: entry.key),
            report)
        // Replaced below: a reading begins with any definition.
        self.init(definition: .csv(CSVSource()), place: first.keyPlace)
        place = entry.keyPlace
        let isRead =
            switch entry.key {
            case "http": readHTTP(fields)
            case "command": readCommand(fields)
            case "directory": readDirectory(fields)
            case "postgres": readPostgres(fields)
            default: readCSV(fields)
            }
        guard isRead else { return nil }
    }

    private init(definition: SourceDefinition, place: Place) {
        self.definition = definition
        self.place = place
    }

    mutating func note(_ text: Located<String>, _ use: Use) {
        templates.append(Template(text: text.value, place: text.place, use: use))
    }

    /// Sizes of what a source may produce.
    static func sizes(_ node: Node) throws(ValueError) -> Int {
        try Values.size(1...(4 << 30))(node)
    }
}

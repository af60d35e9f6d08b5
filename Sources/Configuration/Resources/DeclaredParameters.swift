internal import FreshetModel

/// `params:` of a resource.
struct DeclaredParameters {
    /// Parameters a resource may have.
    static let maximumCount = 32

    /// Sorted by name.
    var rules: [ParameterRule] = []
    /// The compiled pattern of each.
    var patterns: [String: Pattern] = [:]
    /// Where each is declared.
    var places: [String: Place] = [:]

    /// Names that cannot be told from those of the API.
    private static let reserved = ["refresh", "stream"]

    /// None.
    init() {}

    init(_ node: Node, _ report: Report) {
        guard case .mapping(let entries) = node.content else {
            if !node.isNull, !node.isBroken {
                report.error(
                    node.place,
                    "`params`: expected names with `pattern` and `default`, found \(node.kind)")
            }
            return
        }
        if entries.count > Self.maximumCount {
            report.error(node.place, "`params` has more than \(Self.maximumCount) parameters")
        }
        for entry in entries {
            places[entry.key] = entry.keyPlace
            if let problem = Self.problem(of: entry.key) { report.error(entry.keyPlace, problem) }
            read(entry, report)
        }
        rules.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func problem(of name: String) -> String? {
        if reserved.contains(name) {
            return "`\(name)` cannot be a parameter: the API has a meaning for it"
        }
        guard Placeholders.isName(name) else {
            return
                "\(Fields.quoted(name)) is no name of a parameter: a letter or `_`, then letters, "
                + "digits, `_`, `.` and `-`, 64 in all"
        }
        return nil
    }

    private mutating func read(_ entry: Node.Entry, _ report: Report) {
        let fields = Fields(
            entry.value, of: "the parameter `\(entry.key)`", known: FieldNames.parameter, report)
        let pattern = fields.read("pattern") { node throws(ValueError) in
            let text = try Values.text(node)
            do throws(Pattern.ParseError) {
                return try Pattern(text)
            } catch {
                throw ValueError("\(error.message) (character \(error.offset + 1) of the pattern)")
            }
        }
        let standard = fields.read("default", Values.anyText)
        // A wrong pattern has been reported; the parameter stays declared.
        let known: Pattern? = pattern?.value ?? (try? Pattern(ParameterRule.standardPattern))
        guard let known else { return }
        let isChecked = pattern != nil || fields["pattern"] == nil
        if let standard, isChecked, !known.matches(standard.value) {
            report.error(
                standard.place,
                "`default`: \(fields["default"]?.value.kind ?? "it") does not match "
                    + "the pattern `\(known.text)`")
        }
        patterns[entry.key] = known
        rules.append(
            ParameterRule(name: entry.key, pattern: known, defaultValue: standard?.value))
    }
}

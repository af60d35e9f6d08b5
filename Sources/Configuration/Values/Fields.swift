/// The fields of one mapping: reads those that are known and reports those that are not.
struct Fields {
    /// Where the mapping begins.
    let place: Place
    let report: Report
    /// `api`, `the resource `cinema``, for messages.
    private let owner: String
    private let entries: [String: Node.Entry]
    /// It is a mapping, or nothing, which is one without fields.
    let isMapping: Bool
    /// Known names that fields with unknown names were probably meant to be.
    private let misspelled: Set<String>

    /// - Parameters:
    ///   - owner: What the mapping is, for messages.
    ///   - known: All names it may have, in the order of the documentation.
    init(_ node: Node, of owner: String, known: [String], _ report: Report) {
        place = node.place
        self.owner = owner
        self.report = report
        var found: [String: Node.Entry] = [:]
        var misspelled: Set<String> = []
        switch node.content {
        case .mapping(let entries):
            for entry in entries {
                found[entry.key] = entry
                guard !known.contains(entry.key) else { continue }
                if let meant = Suggestion.nearest(to: entry.key, among: known) {
                    misspelled.insert(meant)
                }
                report.error(
                    entry.keyPlace,
                    "\(Self.quoted(entry.key)) is not a field of \(owner)"
                        + Self.hint(entry.key, known: known))
            }
            isMapping = true
        case .scalar(let scalar) where scalar.isNull: isMapping = true
        default:
            isMapping = false
            if !node.isBroken {
                report.error(node.place, "expected the fields of \(owner), found \(node.kind)")
            }
        }
        entries = found
        self.misspelled = misspelled
    }

    private static func hint(_ name: String, known: [String]) -> String {
        let suggestion = Suggestion.ending(for: name, among: known)
        guard suggestion.isEmpty else { return suggestion }
        let sections = FieldNames.sections.filter { $0.names.contains(name) }.map(\.title)
        return sections.isEmpty ? "" : "; it belongs to \(sections.joined(separator: " or "))"
    }

    static func quoted(_ text: String) -> String { Scalar(text: text, written: text).quotation }

    subscript(_ name: String) -> Node.Entry? { entries[name] }

    /// Whether `name` is absent only because it is misspelled, which has been reported.
    func isMisspelled(_ name: String) -> Bool {
        entries[name] == nil && misspelled.contains(name)
    }

    /// Where the value of `name` stands, or the mapping when it is absent.
    func place(of name: String) -> Place { entries[name]?.value.place ?? place }

    /// The value of `name`; `nil` when it is absent or wrong, which then has been reported.
    func read<Value>(
        _ name: String, _ convert: (Node) throws(ValueError) -> Value
    ) -> Located<Value>? {
        guard let node = entries[name]?.value else { return nil }
        do {
            return Located(value: try convert(node), place: node.place)
        } catch {
            if !error.isReported { report.error(node.place, "`\(name)`: \(error.message)") }
            return nil
        }
    }

    /// Stores the value of `name`, when there is a right one.
    func read<Value>(
        _ name: String, into value: inout Value, _ convert: (Node) throws(ValueError) -> Value
    ) {
        if let read = read(name, convert) { value = read.value }
    }

    /// Stores the value of `name`, when there is a right one.
    func read<Value>(
        _ name: String, intoOptional value: inout Value?,
        _ convert: (Node) throws(ValueError) -> Value
    ) {
        if let read = read(name, convert) { value = read.value }
    }

    /// The value of a field that must be there.
    func require<Value>(
        _ name: String, _ convert: (Node) throws(ValueError) -> Value
    ) -> Located<Value>? {
        if isMapping, entries[name] == nil, !isMisspelled(name) {
            report.error(place, "\(owner) needs `\(name)`")
        }
        return read(name, convert)
    }

    /// The items of a list; bad ones are reported at their own place and left out.
    func list<Item>(
        _ name: String, of what: String, _ convert: (Node) throws(ValueError) -> Item
    ) -> [Located<Item>]? {
        guard let node = entries[name]?.value else { return nil }
        guard case .sequence(let items) = node.content else {
            if node.isNull {
                report.error(node.place, "`\(name)` has no value; it is a list of \(what)")
            } else if !node.isBroken {
                report.error(
                    node.place, "`\(name)`: expected a list of \(what), found \(node.kind)")
            }
            return nil
        }
        return items.compactMap { item in
            do throws(ValueError) {
                return Located(value: try convert(item), place: item.place)
            } catch {
                if !error.isReported { report.error(item.place, "`\(name)`: \(error.message)") }
                return nil
            }
        }
    }

    /// A mapping from names to text. Bad values are reported at their own place and left out.
    func map(_ name: String) -> [(name: Located<String>, text: Located<String>)]? {
        guard let node = entries[name]?.value else { return nil }
        switch node.content {
        case .mapping(let entries):
            return entries.compactMap { entry in
                do throws(ValueError) {
                    let text = try Values.anyText(entry.value)
                    return (
                        Located(value: entry.key, place: entry.keyPlace),
                        Located(value: text, place: entry.value.place)
                    )
                } catch {
                    if !error.isReported {
                        report.error(
                            entry.value.place, "\(Self.quoted(entry.key)): \(error.message)")
                    }
                    return nil
                }
            }
        case .scalar(let scalar) where scalar.isNull: return []
        default:
            if !node.isBroken {
                report.error(
                    node.place, "`\(name)`: expected names with their text, found \(node.kind)")
            }
            return nil
        }
    }
}

/// Builds the tree of a file from its events.
///
/// Aliases share what they stand for, so a tree takes no more memory than its file; but all that
/// walk it walk each alias, so its size with aliases counted is bounded (a billion laughs are not
/// laughed), and its depth.
struct TreeBuilder {
    static let maximumBytes = 1 << 20
    static let maximumNodes = 100_000
    static let maximumDepth = 64

    private enum Anchor {
        /// Its node is still being built.
        case open
        case node(Node)
    }

    private let events: YAMLEvents
    private let report: Report
    private let interpolation: Interpolation
    private var anchors: [String: Anchor] = [:]
    private var nodes = 0

    /// The root of the file `bytes`; `nil` when there is none, an empty file or a syntax error, which is
    /// reported like everything else.
    static func build(
        _ bytes: [UInt8], environment: [String: String], _ report: Report
    ) -> Node? {
        guard bytes.count <= maximumBytes else {
            report.error(.beginning, "the file is larger than \(maximumBytes >> 20) MiB")
            return nil
        }
        var builder = TreeBuilder(
            events: YAMLEvents(bytes), report: report,
            interpolation: Interpolation(environment: environment))
        do {
            return try builder.file()
        } catch {
            report.error(error.place, error.message)
            return nil
        }
    }

    private init(events: YAMLEvents, report: Report, interpolation: Interpolation) {
        self.events = events
        self.report = report
        self.interpolation = interpolation
    }

    private mutating func file() throws(ConfigurationError) -> Node? {
        var root: Node?
        while true {
            let (event, place) = try events.next()
            switch event {
            case .streamEnd: return root
            case .documentStart where root != nil:
                throw ConfigurationError(place, "a second YAML document; the file has one")
            case .streamStart, .documentStart, .documentEnd: continue
            default: root = try node(event, place, depth: 0)
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvents.Event, _ place: Place, depth: Int
    ) throws(ConfigurationError) -> Node {
        try count(1, place)
        guard depth < Self.maximumDepth else {
            throw ConfigurationError(place, "nested deeper than \(Self.maximumDepth) levels")
        }
        switch event {
        case .alias(let name):
            let node = try anchored(name, place)
            guard depth + node.height < Self.maximumDepth else {
                throw ConfigurationError(place, "nested deeper than \(Self.maximumDepth) levels")
            }
            try count(node.size, place)
            return node
        case .scalar(let text, let isPlain, let anchor, let tag):
            let node = scalar(text, isPlain: isPlain, tag, place)
            if let anchor { anchors[anchor] = .node(node) }
            return node
        case .sequenceStart(let anchor, let tag):
            refuse(tag, place)
            if let anchor { anchors[anchor] = .open }
            let node = try sequence(place, depth: depth)
            if let anchor { anchors[anchor] = .node(node) }
            return node
        case .mappingStart(let anchor, let tag):
            refuse(tag, place)
            if let anchor { anchors[anchor] = .open }
            let node = try mapping(place, depth: depth)
            if let anchor { anchors[anchor] = .node(node) }
            return node
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw ConfigurationError(place, "a value is missing")
        }
    }

    private mutating func count(_ more: Int, _ place: Place) throws(ConfigurationError) {
        nodes += more
        guard nodes <= Self.maximumNodes else {
            throw ConfigurationError(
                place, "the file has more than \(Self.maximumNodes) values, aliases counted")
        }
    }

    private func anchored(_ name: String, _ place: Place) throws(ConfigurationError) -> Node {
        switch anchors[name] {
        case .node(let node): return node
        case .open: throw ConfigurationError(place, "`*\(name)` stands inside of what it means")
        case nil: throw ConfigurationError(place, "there is no `&\(name)` above")
        }
    }

    private func refuse(_ tag: String?, _ place: Place) {
        guard let tag, !["!", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"].contains(tag) else {
            return
        }
        report.error(place, "the tag `\(tag)` is not understood")
    }

    private func scalar(
        _ written: String, isPlain: Bool, _ tag: String?, _ place: Place
    ) -> Node {
        var scalar = Scalar(text: written, written: written, isText: !isPlain)
        switch tag {
        case nil: break
        case "!", "tag:yaml.org,2002:str": scalar.isText = true
        case .some(let tag): report.error(place, "the tag `\(tag)` is not understood")
        }
        let (text, problems) = interpolation.expand(written)
        scalar.text = text
        scalar.isBroken = !problems.isEmpty
        for problem in problems { report.error(place, problem) }
        if scalar.text.utf8.contains(0) {
            report.error(place, "text with a zero byte")
            scalar.isBroken = true
        }
        return Node(place: place, content: .scalar(scalar))
    }

    private mutating func sequence(
        _ place: Place, depth: Int
    ) throws(ConfigurationError) -> Node {
        var result = Node(place: place, content: .sequence([]))
        var items: [Node] = []
        while true {
            let (event, itemPlace) = try events.next()
            if case .sequenceEnd = event { break }
            let item = try node(event, itemPlace, depth: depth + 1)
            result.size += item.size
            result.height = max(result.height, item.height + 1)
            items.append(item)
        }
        result.content = .sequence(items)
        return result
    }

    private mutating func mapping(
        _ place: Place, depth: Int
    ) throws(ConfigurationError) -> Node {
        var result = Node(place: place, content: .mapping([]))
        var entries: [Node.Entry] = []
        var lines: [String: Int] = [:]
        var merged: [Node.Entry] = []
        while true {
            let (event, keyPlace) = try events.next()
            if case .mappingEnd = event { break }
            guard case .scalar(let key, let isPlain, let anchor, _) = event, anchor == nil else {
                throw ConfigurationError(keyPlace, "the name of a field is plain text")
            }
            try count(1, keyPlace)
            let (event2, valuePlace) = try events.next()
            let value = try node(event2, valuePlace, depth: depth + 1)
            result.size += value.size + 1
            result.height = max(result.height, value.height + 1)
            if key == "<<", isPlain {
                merged += merge(value)
            } else if let line = lines[key] {
                report.error(keyPlace, "`\(key)` appears twice; it is also in line \(line)")
            } else {
                lines[key] = keyPlace.line
                entries.append(Node.Entry(key: key, keyPlace: keyPlace, value: value))
            }
        }
        // What is said here beats what is merged; of what is merged, the first counts.
        for entry in merged where lines[entry.key] == nil {
            lines[entry.key] = entry.keyPlace.line
            entries.append(entry)
        }
        result.content = .mapping(entries)
        return result
    }

    private func merge(_ value: Node) -> [Node.Entry] {
        switch value.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            return items.flatMap { item in
                guard case .mapping(let entries) = item.content else {
                    report.error(item.place, "`<<` merges mappings, found \(item.kind)")
                    return [Node.Entry]()
                }
                return entries
            }
        case .scalar:
            report.error(value.place, "`<<` merges mappings, found \(value.kind)")
            return []
        }
    }
}

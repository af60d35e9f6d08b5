/// The step between syntax tree and table: a graph whose walks spell the matching values.
struct PatternGraph {
    enum Node {
        case accept
        /// Consumes a character of the set with this index.
        case set(Int, next: Int32)
        case split([Int32])
        /// May be passed only before the first character.
        case start(next: Int32)
        /// May be passed only after the last character.
        case end(next: Int32)
    }

    private static let maximumNodes = 20_000

    let accept: Int32 = 0
    private(set) var nodes: [Node] = [.accept]
    private(set) var sets: [ScalarSet] = []
    private var setIndices: [ScalarSet: Int] = [:]

    /// Adds what spells `node` and then goes on at `next`; `nil` when the graph gets too large.
    mutating func add(_ node: PatternNode, before next: Int32) -> Int32? {
        switch node {
        case .empty: return next
        case .set(let set): return append(.set(index(of: set), next: next))
        case .start: return append(.start(next: next))
        case .end: return append(.end(next: next))
        case .sequence(let parts):
            var entry = next
            for part in parts.reversed() {
                guard let before = add(part, before: entry) else { return nil }
                entry = before
            }
            return entry
        case .choice(let branches):
            var entries: [Int32] = []
            for branch in branches {
                guard let entry = add(branch, before: next) else { return nil }
                entries.append(entry)
            }
            return append(.split(entries))
        case .repeated(let body, let minimum, let maximum):
            return addRepeated(body, minimum, maximum, before: next)
        }
    }

    private mutating func addRepeated(
        _ body: PatternNode, _ minimum: Int, _ maximum: Int?, before next: Int32
    ) -> Int32? {
        var entry = next
        if let maximum {
            for _ in minimum..<maximum {
                // The way out leads straight to the end: each set of the table stays small.
                guard let more = add(body, before: entry), let split = append(.split([more, next]))
                else { return nil }
                entry = split
            }
        } else {
            guard let loop = append(.split([])), let more = add(body, before: loop) else {
                return nil
            }
            nodes[Int(loop)] = .split([more, next])
            entry = loop
        }
        for _ in 0..<minimum {
            guard let before = add(body, before: entry) else { return nil }
            entry = before
        }
        return entry
    }

    private mutating func append(_ node: Node) -> Int32? {
        guard nodes.count < Self.maximumNodes else { return nil }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    private mutating func index(of set: ScalarSet) -> Int {
        if let known = setIndices[set] { return known }
        sets.append(set)
        setIndices[set] = sets.count - 1
        return sets.count - 1
    }

    /// Follows the graph for the construction of the table, and counts its steps.
    struct Walker {
        private let nodes: [Node]
        /// In which round a node was seen last.
        private var seen: [Int]
        private var round = 0
        private(set) var work = 0

        init(_ graph: PatternGraph) {
            nodes = graph.nodes
            seen = [Int](repeating: 0, count: nodes.count)
        }

        /// The nodes that wait for a character or the end, reached from `entries` without one.
        mutating func closure(
            _ entries: [Int32], atStart: Bool, atEnd: Bool = false
        ) -> [Int32] {
            round += 1
            var waiting: [Int32] = []
            var pending = entries
            while let node = pending.popLast() {
                work += 1
                guard seen[Int(node)] != round else { continue }
                seen[Int(node)] = round
                switch nodes[Int(node)] {
                case .accept, .set: waiting.append(node)
                case .split(let ways): pending += ways
                case .start(let next): if atStart { pending.append(next) }
                case .end(let next):
                    if atEnd { pending.append(next) } else { waiting.append(node) }
                }
            }
            return waiting.sorted()
        }

        /// Where a character of class `column` leads from `members`.
        mutating func step(
            _ members: [Int32], on column: Int, _ classes: ScalarClasses
        ) -> [Int32] {
            var reached: [Int32] = []
            for member in members {
                work += 1
                if case .set(let set, let next) = nodes[Int(member)],
                    classes.isMember(column, of: set)
                {
                    reached.append(next)
                }
            }
            return closure(reached, atStart: false)
        }

        /// Whether the value may end at `members`.
        mutating func accepts(_ members: [Int32], atStart: Bool) -> Bool {
            closure(members, atStart: atStart, atEnd: true).contains(0)
        }
    }
}

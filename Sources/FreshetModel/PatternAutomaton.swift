/// The compiled form of a `Pattern`: a table with a row per state and a column per class of
/// characters that the pattern cannot tell apart.
///
///     state ──(class of the next character)──▶ state … and at the end: is the state accepting?
///
/// `[a-z-]{1,40}` needs 42 states and 2 classes. State 0 is dead: no way leads out of it.
final class PatternAutomaton: Sendable {
    /// States a pattern may need; a row has two bytes per class.
    static let maximumStates = 4096
    private static let maximumTable = 1 << 19
    /// Steps of construction, so that a pattern cannot hold up the start of a process.
    private static let maximumWork = 1_000_000

    private let start: UInt16
    private let table: [UInt16]
    private let isAccepting: [Bool]
    private let classes: ScalarClasses

    init(_ node: PatternNode, length: Int) throws(Pattern.ParseError) {
        var graph = PatternGraph()
        let tooLarge = Pattern.ParseError(
            message: "the pattern is too large: its counts multiply", offset: 0)
        guard let entry = graph.add(node, before: graph.accept) else { throw tooLarge }
        let classes = ScalarClasses(graph.sets)
        var states: [[Int32]: UInt16] = [[]: 0]
        var members: [[Int32]] = [[]]
        var accepting = [false]
        var table = [UInt16](repeating: 0, count: classes.count)
        var walker = PatternGraph.Walker(graph)

        func number(_ set: [Int32], isStart: Bool) throws(Pattern.ParseError) -> UInt16 {
            if !isStart, let known = states[set] { return known }
            guard members.count < Self.maximumStates,
                (members.count + 1) * classes.count <= Self.maximumTable
            else { throw tooLarge }
            let new = UInt16(members.count)
            // Only the start may pass `^`, so it is not shared with a later state of equal members.
            if !isStart { states[set] = new }
            members.append(set)
            accepting.append(walker.accepts(set, atStart: isStart))
            table += [UInt16](repeating: 0, count: classes.count)
            return new
        }

        let first = walker.closure([entry], atStart: true)
        start = try number(first, isStart: true)
        var row = 1
        while row < members.count {
            for column in 0..<classes.count {
                let reached = walker.step(members[row], on: column, classes)
                table[row * classes.count + column] = try number(reached, isStart: false)
                guard walker.work < Self.maximumWork else { throw tooLarge }
            }
            row += 1
        }
        self.table = table
        self.classes = classes
        isAccepting = accepting
    }

    func matches(_ value: String) -> Bool {
        var state = Int(start)
        for scalar in value.unicodeScalars {
            state = Int(table[state * classes.count + classes.index(of: scalar.value)])
            if state == 0 { return false }
        }
        return isAccepting[state]
    }

    func mayContain(_ scalar: Unicode.Scalar) -> Bool {
        let column = classes.index(of: scalar.value)
        return stride(from: column, to: table.count, by: classes.count).contains { table[$0] != 0 }
    }

    func mayBegin(with scalar: Unicode.Scalar) -> Bool {
        table[Int(start) * classes.count + classes.index(of: scalar.value)] != 0
    }
}

/// Characters sorted into classes whose members are in the same sets.
struct ScalarClasses: Sendable {
    let count: Int
    private let ascii: [UInt16]
    /// Where a new class begins, ascending from 0, and which one it is.
    private let bounds: [UInt32]
    private let indices: [UInt16]
    /// Per class, the sets that hold it.
    private let memberships: [[Bool]]

    init(_ sets: [ScalarSet]) {
        var cuts: Set<UInt32> = [0]
        for range in sets.flatMap(\.ranges) {
            cuts.insert(range.lowerBound)
            if range.upperBound < ScalarSet.maximum { cuts.insert(range.upperBound + 1) }
        }
        var known: [[Bool]: UInt16] = [:]
        var memberships: [[Bool]] = []
        bounds = cuts.sorted()
        indices = bounds.map { bound in
            let signature = sets.map { $0.contains(bound) }
            if let index = known[signature] { return index }
            let index = UInt16(memberships.count)
            known[signature] = index
            memberships.append(signature)
            return index
        }
        count = memberships.count
        self.memberships = memberships
        let (bounds, indices) = (bounds, indices)
        ascii = (0..<128).map { Self.search(bounds, indices, UInt32($0)) }
    }

    func index(of value: UInt32) -> Int {
        value < 128 ? Int(ascii[Int(value)]) : Int(Self.search(bounds, indices, value))
    }

    func isMember(_ index: Int, of set: Int) -> Bool { memberships[index][set] }

    private static func search(_ bounds: [UInt32], _ indices: [UInt16], _ value: UInt32) -> UInt16 {
        var low = 0
        var high = bounds.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= value { low = middle } else { high = middle }
        }
        return indices[low]
    }
}

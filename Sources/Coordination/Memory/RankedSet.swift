/// Members in the order of their scores, and of the members where scores are equal: what Redis
/// calls a sorted set. Look-up and rank O(log n), insertion and removal O(n) moves.
struct RankedSet<Member: Hashable & Comparable & Sendable, Score: Comparable & Sendable>: Sendable {
    struct Element: Comparable, Sendable {
        var score: Score
        var member: Member

        static func < (left: Element, right: Element) -> Bool {
            left.score == right.score ? left.member < right.member : left.score < right.score
        }
    }

    /// Lowest score first.
    private(set) var elements: [Element] = []
    private var scores: [Member: Score] = [:]

    var count: Int { elements.count }

    var isEmpty: Bool { elements.isEmpty }

    func contains(_ member: Member) -> Bool { scores[member] != nil }

    func score(of member: Member) -> Score? { scores[member] }

    /// How many come before `member`; `nil` when it is not there.
    func rank(of member: Member) -> Int? {
        scores[member].map { position(of: Element(score: $0, member: member)) }
    }

    /// Puts `member` at `score`, wherever it was.
    mutating func insert(_ member: Member, at score: Score) {
        remove(member)
        let element = Element(score: score, member: member)
        elements.insert(element, at: position(of: element))
        scores[member] = score
    }

    /// Removes `member` when it is there.
    mutating func remove(_ member: Member) {
        guard let score = scores.removeValue(forKey: member) else { return }
        elements.remove(at: position(of: Element(score: score, member: member)))
    }

    /// Members with a score of at most `bound`, lowest first, at most `limit`.
    func members(upTo bound: Score, limit: Int) -> [Member] {
        elements.prefix(limit).prefix { $0.score <= bound }.map(\.member)
    }

    /// The index of the first element that does not come before `element`.
    private func position(of element: Element) -> Int {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

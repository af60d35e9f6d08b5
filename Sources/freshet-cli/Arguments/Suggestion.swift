/// The word that was probably meant.
enum Suggestion {
    /// The candidate closest to `word`, when it is close enough to be a slip of the hand: at most a
    /// third of its length in edits, or an unambiguous prefix.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let prefixed = candidates.filter { $0.hasPrefix(word) && !word.isEmpty }
        if prefixed.count == 1 { return prefixed[0] }
        let best = candidates.map { (name: $0, edits: edits(from: word, to: $0)) }
            .min { $0.edits < $1.edits }
        guard let best, best.edits <= max(1, best.name.count / 3) else { return nil }
        return best.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other
    /// (optimal string alignment).
    static func edits(from left: String, to right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row] + [Int](repeating: 0, count: right.count)
            for column in 1...right.count {
                let isSame = left[row - 1] == right[column - 1]
                var cost = min(last[column] + 1, current[column - 1] + 1)
                cost = min(cost, last[column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    cost = min(cost, beforeLast[column - 2] + 1)
                }
                current[column] = cost
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}

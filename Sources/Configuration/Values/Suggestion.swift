/// The word that was probably meant.
enum Suggestion {
    /// `; did you mean `x`?` when a candidate is close enough to be a slip of the hand, else nothing.
    static func ending(for word: String, among candidates: [String]) -> String {
        nearest(to: word, among: candidates).map { "; did you mean `\($0)`?" } ?? ""
    }

    /// The candidate with the fewest edits from `word`, at most a third of its length; or the only
    /// one that `word` begins or that begins with `word`.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        guard !word.isEmpty, word.utf8.count <= 64 else { return nil }
        let plain = word.lowercased().filter { $0 != "-" && $0 != "_" }
        let same = candidates.filter { $0.filter { $0 != "_" } == plain }
        if same.count == 1 { return same[0] }
        let ranked = candidates.map {
            (name: $0, edits: edits(from: Array(word.utf8), to: Array($0.utf8)))
        }
        if let best = ranked.min(by: { $0.edits < $1.edits }),
            best.edits <= max(1, max(best.name.utf8.count, word.utf8.count) / 3)
        {
            return best.name
        }
        let related = candidates.filter {
            word.utf8.count > 2 && ($0.hasPrefix(word) || $0.hasSuffix("_" + word))
        }
        return related.count == 1 ? related[0] : nil
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    private static func edits(from left: [UInt8], to right: [UInt8]) -> Int {
        var rows = [[Int]](
            repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
        for column in 0...right.count { rows[0][column] = column }
        for row in 0...left.count { rows[row][0] = row }
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        for row in 1...left.count {
            for column in 1...right.count {
                let isSame = left[row - 1] == right[column - 1]
                var fewest = rows[row - 1][column - 1] + (isSame ? 0 : 1)
                fewest = min(fewest, rows[row - 1][column] + 1, rows[row][column - 1] + 1)
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    fewest = min(fewest, rows[row - 2][column - 2] + 1)
                }
                rows[row][column] = fewest
            }
        }
        return rows[left.count][right.count]
    }
}

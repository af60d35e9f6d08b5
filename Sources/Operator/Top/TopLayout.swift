/// How many lines each list of the view may have.
///
/// A screen has no room for all: every list keeps a few lines before one gets many, so that a long
/// queue never hides the dead, and the selected line is always among those shown.
struct TopLayout {
    /// Lines of each list, in the order of `needs`.
    private(set) var shares: [Int]
    /// Whether an empty line stands above each list.
    let isAiry: Bool

    /// - Parameters:
    ///   - rows: Lines for all lists with their headings; `nil`: as many as they need.
    ///   - needs: Lines that each list would fill. An empty list has a heading only.
    init(rows: Int?, needs: [Int]) {
        guard let rows else {
            shares = needs
            isAiry = true
            return
        }
        isAiry = rows >= needs.count * 2 + needs.reduce(0) { $0 + min($1, 3) }
        var left = rows - needs.count * (isAiry ? 2 : 1)
        shares = needs.map { _ in 0 }
        while left > 0 {
            let given = shares.reduce(0, +)
            for index in needs.indices where left > 0 && shares[index] < needs[index] {
                shares[index] += 1
                left -= 1
            }
            if shares.reduce(0, +) == given { break }
        }
    }

    /// The part of a list of `count` that fills the share at `index` and holds `selected`.
    func window(_ index: Int, count: Int, selected: Int?) -> Range<Int> {
        let share = min(shares[index], count)
        guard let selected, selected >= share, share > 0 else { return 0..<share }
        return (selected - share + 1)..<(selected + 1)
    }
}

/// Rows under headings, columns aligned, cut to the terminal's width.
struct TextTable {
    struct Column {
        var title: String
        /// Numbers stand to the right.
        var isNumber = false
    }

    struct Cell {
        var text: String
        var style = Style.plain

        init(_ text: String, _ style: Style = .plain) {
            // A payload's or source's text must not steer the terminal.
            self.text = text.withoutControls
            self.style = style
        }

        init(_ number: Int?) { self.init(number.map(HumanUnits.count) ?? "-") }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ row: [Cell]) {
        precondition(row.count == columns.count, "a row of another table")
        rows.append(row)
    }

    /// - Parameter width: Columns of the terminal; `nil` cuts nothing, for programs that read it.
    func lines(width: Int?, colored: Bool) -> [String] {
        var widths = columns.map(\.title.count)
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], cell.text.count)
            }
        }
        if let width { Self.shrink(&widths, to: width) }
        let heading = columns.map { Cell($0.title, .bold) }
        return ([heading] + rows).map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let text = cell.text.shortened(to: widths[index])
                let isLast = index == row.count - 1
                let space = String(repeating: " ", count: max(0, widths[index] - text.count))
                let shown = cell.style.apply(to: text, colored)
                if columns[index].isNumber {
                    line += space + shown
                } else {
                    line += isLast ? shown : shown + space
                }
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Takes from the widest columns until all fit; none gets narrower than 8.
    private static func shrink(_ widths: inout [Int], to available: Int) {
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - available
        while excess > 0 {
            guard let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > 8
            else { return }
            widths[widest] -= 1
            excess -= 1
        }
    }
}

extension String {
    /// At most `length` characters; a cut is shown by `…`.
    func shortened(to length: Int) -> String {
        guard count > length else { return self }
        return length < 1 ? "" : String(prefix(length - 1)) + "…"
    }

    /// Control characters as spaces: on one line, and steering nothing.
    var withoutControls: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return self }
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map {
                    $0.properties.generalCategory == .control ? Unicode.Scalar(0x20) : $0
                }))
    }
}

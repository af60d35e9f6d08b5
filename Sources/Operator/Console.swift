/// Where an operator's command writes, and how much that place can show.
package struct Console: Sendable {
    /// Columns and rows of a terminal.
    package struct Size: Sendable, Equatable {
        package var columns: Int
        package var rows: Int

        package init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Standard output, all bytes as they are.
    package var write: @Sendable ([UInt8]) -> Void
    /// Standard error.
    package var writeError: @Sendable (String) -> Void
    /// Its size when standard output is a terminal.
    package var size: @Sendable () -> Size?
    /// Whether colours may be used: a terminal, and no NO_COLOR.
    package var isColored: Bool

    package init(
        write: @escaping @Sendable ([UInt8]) -> Void,
        writeError: @escaping @Sendable (String) -> Void,
        size: @escaping @Sendable () -> Size?, isColored: Bool
    ) {
        self.write = write
        self.writeError = writeError
        self.size = size
        self.isColored = isColored
    }

    /// Whether standard output is a terminal.
    var isTerminal: Bool { size() != nil }

    func print(_ text: String) { write(Array((text + "\n").utf8)) }

    /// Lines of a table, or what is said when there are none.
    func print(_ table: TextTable, ifEmpty: String) {
        guard !table.isEmpty else { return print(ifEmpty) }
        for line in table.lines(width: size()?.columns, colored: isColored) { print(line) }
    }
}

/// SGR colours of a terminal.
enum Style: String, Sendable {
    case plain = ""
    case dim = "2"
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case cyan = "36"
    case inverse = "7"

    func apply(to text: String, _ isColored: Bool) -> String {
        guard isColored, self != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }
}

/// A request for a part of a representation: `Range`, RFC 9110 section 14.
enum ByteRange: Equatable {
    /// No range, a unit other than bytes, several ranges or a malformed field: the whole is sent,
    /// which a server may always do.
    case whole
    /// These bytes.
    case part(Range<Int>)
    /// A range that begins past the end: 416.
    case unsatisfiable

    /// Reads the field for a representation of `length` bytes.
    init(_ field: String?, length: Int) {
        self = .whole
        guard let field, field.utf8.count <= 64 else { return }
        let sides = field.split(separator: "=", maxSplits: 1)
        guard sides.count == 2, FieldList.trim(sides[0]).lowercased() == "bytes" else { return }
        let specification = FieldList.trim(sides[1])
        guard let dash = specification.firstIndex(of: "-") else { return }
        let first = specification[..<dash]
        let last = specification[specification.index(after: dash)...]
        if first.isEmpty {
            guard let suffix = Self.number(last) else { return }
            let start = max(0, length - suffix)
            self = suffix == 0 || length == 0 ? .unsatisfiable : .part(start..<length)
        } else {
            guard let start = Self.number(first) else { return }
            let end = last.isEmpty ? length - 1 : Self.number(last)
            guard let end, last.isEmpty || end >= start else { return }
            self = start >= length ? .unsatisfiable : .part(start..<min(end, length - 1) + 1)
        }
    }

    /// Digits only; a number too large for any payload counts as the largest.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text) ?? Int.max / 2
    }
}

import Synchronization

extension ScalarSet {
    private static let known = Mutex<[String: ScalarSet]>([:])

    /// The scalars of a general category of Unicode, `L` or `Lu`; `nil` for an unknown name.
    ///
    /// Looks at every scalar of the planes in use, some 40 ms, and so only once per name.
    static func category(_ name: String) -> ScalarSet? {
        let wanted = names.filter { $0.value.hasPrefix(name) }.map(\.key)
        guard !wanted.isEmpty, (1...2).contains(name.count) else { return nil }
        if let set = known.withLock({ $0[name] }) { return set }
        var ranges: [ClosedRange<UInt32>] = []
        var first: UInt32?
        // Planes 4 to 13 hold nothing, 15 and 16 are for private use; 14 has tags and selectors.
        for value in [0..<UInt32(0x40000), 0xE0000..<0xE1001].joined() {
            let isMember =
                Unicode.Scalar(value).map { wanted.contains($0.properties.generalCategory) }
                ?? false
            if isMember {
                first = first ?? value
            } else if let begin = first {
                ranges.append(begin...(value - 1))
                first = nil
            }
        }
        let set = ScalarSet(ranges)
        known.withLock { $0[name] = set }
        return set
    }

    private static let names: [Unicode.GeneralCategory: String] = [
        .uppercaseLetter: "Lu", .lowercaseLetter: "Ll", .titlecaseLetter: "Lt",
        .modifierLetter: "Lm", .otherLetter: "Lo", .nonspacingMark: "Mn", .spacingMark: "Mc",
        .enclosingMark: "Me", .decimalNumber: "Nd", .letterNumber: "Nl", .otherNumber: "No",
        .connectorPunctuation: "Pc", .dashPunctuation: "Pd", .openPunctuation: "Ps",
        .closePunctuation: "Pe", .initialPunctuation: "Pi", .finalPunctuation: "Pf",
        .otherPunctuation: "Po", .mathSymbol: "Sm", .currencySymbol: "Sc", .modifierSymbol: "Sk",
        .otherSymbol: "So", .spaceSeparator: "Zs", .lineSeparator: "Zl",
        .paragraphSeparator: "Zp",
    ]
}

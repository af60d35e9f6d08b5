/// A pattern for relative paths.
///
///     data/**/*.{tif,tiff}
///
/// `*` any characters within a name, `?` one, `[a-z]` one of a set, `[!a-z]` one that is not,
/// `{a,b}` alternatives, `**` as a whole name: any number of directories. Names that begin with a
/// dot are matched like others. Compared byte by byte, so case counts.
package struct Glob: Sendable {
    private enum Token: Sendable {
        case byte(UInt8)
        case one
        case many
        case set(ranges: [ClosedRange<UInt8>], isNegated: Bool)
    }

    private enum Segment: Sendable {
        case name([Token])
        /// `**`
        case deep
    }

    private static let maximumAlternatives = 256

    private let alternatives: [[Segment]]

    /// Reads a pattern.
    /// - Returns: `nil` when it is empty, begins with `/`, holds `..`, leaves a bracket or brace
    ///   open, or means too many alternatives.
    package init?(_ pattern: String) {
        guard let texts = Self.expandBraces(Array(pattern.utf8)) else { return nil }
        var alternatives: [[Segment]] = []
        for text in texts {
            guard let segments = Self.parse(text) else { return nil }
            alternatives.append(segments)
        }
        self.alternatives = alternatives
    }

    // MARK: matching

    /// Whether the path made of `names` matches.
    package func matches(_ names: [ArraySlice<UInt8>]) -> Bool {
        alternatives.contains { Self.matches($0[...], names[...]) }
    }

    /// Whether `path`, such as `a/b.txt`, matches.
    package func matches(_ path: String) -> Bool {
        matches(Array(path.utf8).split(separator: UInt8(ascii: "/")))
    }

    /// Whether a file anywhere below the directory `names` could match.
    package func mayMatch(below names: [ArraySlice<UInt8>]) -> Bool {
        alternatives.contains { segments in
            for (index, name) in names.enumerated() {
                guard index < segments.count - 1 else { return false }
                switch segments[index] {
                case .deep: return true
                case .name(let tokens): if !Self.matches(tokens, name) { return false }
                }
            }
            return true
        }
    }

    /// Whether everything below the directory `names` matches: the pattern names the directory
    /// itself, or ends in `**` after it.
    package func coversAll(below names: [ArraySlice<UInt8>]) -> Bool {
        alternatives.contains { segments in
            if Self.matches(segments[...], names[...]) { return true }
            guard segments.count > 2, case .deep = segments[segments.count - 2],
                case .name(let last) = segments[segments.count - 1], last.count == 1,
                case .many = last[0]
            else { return false }
            return Self.matches(segments.dropLast(2), names[...])
        }
    }

    /// Goes back only to the last `**`, as within a name only to the last `*`: what an earlier one
    /// could take, the last one can take as well.
    private static func matches(
        _ segments: ArraySlice<Segment>, _ names: ArraySlice<ArraySlice<UInt8>>
    ) -> Bool {
        var segment = segments.startIndex
        var name = names.startIndex
        var retry: (segment: Int, name: Int)?
        while name < names.endIndex {
            if segment < segments.endIndex {
                switch segments[segment] {
                case .deep:
                    retry = (segment, name)
                    segment += 1
                    continue
                case .name(let tokens):
                    if matches(tokens, names[name]) {
                        segment += 1
                        name += 1
                        continue
                    }
                }
            }
            guard let last = retry else { return false }
            retry = (last.segment, last.name + 1)
            segment = last.segment + 1
            name = last.name + 1
        }
        while segment < segments.endIndex, case .deep = segments[segment] { segment += 1 }
        return segment == segments.endIndex
    }

    private static func matches(_ tokens: [Token], _ name: ArraySlice<UInt8>) -> Bool {
        var token = 0
        var at = name.startIndex
        var retry: (token: Int, at: Int)?
        while at < name.endIndex {
            if token < tokens.count {
                switch tokens[token] {
                case .many:
                    retry = (token, at)
                    token += 1
                    continue
                case .one:
                    token += 1
                    at = characterEnd(name, at)
                    continue
                case .byte(let byte):
                    if name[at] == byte {
                        token += 1
                        at += 1
                        continue
                    }
                case .set(let ranges, let isNegated):
                    if ranges.contains(where: { $0.contains(name[at]) }) != isNegated {
                        token += 1
                        at = characterEnd(name, at)
                        continue
                    }
                }
            }
            guard let last = retry else { return false }
            retry = (last.token, last.at + 1)
            token = last.token + 1
            at = last.at + 1
        }
        while token < tokens.count, case .many = tokens[token] { token += 1 }
        return token == tokens.count
    }

    /// The end of the UTF-8 character at `at`.
    private static func characterEnd(_ name: ArraySlice<UInt8>, _ at: Int) -> Int {
        var end = at + 1
        while end < name.endIndex, name[at] >= 0xC0, name[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }

    // MARK: reading a pattern

    private static func parse(_ text: [UInt8]) -> [Segment]? {
        guard !text.isEmpty else { return nil }
        var segments: [Segment] = []
        for name in text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !name.isEmpty, !name.elementsEqual("..".utf8), !name.contains(0) else {
                return nil
            }
            if name.elementsEqual("**".utf8) {
                segments.append(.deep)
            } else if !name.elementsEqual(".".utf8) {
                guard let tokens = tokens(name) else { return nil }
                segments.append(.name(tokens))
            }
        }
        // `a/**` is what lies below `a`, not `a` itself.
        if case .deep? = segments.last { segments.append(.name([.many])) }
        return segments.isEmpty ? nil : segments
    }

    private static func tokens(_ name: ArraySlice<UInt8>) -> [Token]? {
        var tokens: [Token] = []
        var at = name.startIndex
        while at < name.endIndex {
            switch name[at] {
            case UInt8(ascii: "*"):
                if case .many? = tokens.last {} else { tokens.append(.many) }
                at += 1
            case UInt8(ascii: "?"):
                tokens.append(.one)
                at += 1
            case UInt8(ascii: "["):
                guard let set = set(name, &at) else { return nil }
                tokens.append(set)
            case UInt8(ascii: "\\"):
                guard at + 1 < name.endIndex else { return nil }
                tokens.append(.byte(name[at + 1]))
                at += 2
            default:
                tokens.append(.byte(name[at]))
                at += 1
            }
        }
        return tokens
    }

    /// Reads `[…]`; `]` right after the opening is one of the set.
    private static func set(_ name: ArraySlice<UInt8>, _ at: inout Int) -> Token? {
        var next = at + 1
        let isNegated =
            next < name.endIndex
            && (name[next] == UInt8(ascii: "!") || name[next] == UInt8(ascii: "^"))
        if isNegated { next += 1 }
        var ranges: [ClosedRange<UInt8>] = []
        while next < name.endIndex {
            let low = name[next]
            if low == UInt8(ascii: "]"), !ranges.isEmpty {
                at = next + 1
                return .set(ranges: ranges, isNegated: isNegated)
            }
            if next + 2 < name.endIndex, name[next + 1] == UInt8(ascii: "-"),
                name[next + 2] != UInt8(ascii: "]")
            {
                guard low <= name[next + 2] else { return nil }
                ranges.append(low...name[next + 2])
                next += 3
            } else {
                ranges.append(low...low)
                next += 1
            }
        }
        return nil
    }

    /// Writes the alternatives of `{a,b}` out, the innermost of the first group first.
    private static func expandBraces(_ text: [UInt8]) -> [[UInt8]]? {
        var done: [[UInt8]] = []
        var queue = [text]
        while let next = queue.popLast() {
            guard queue.count + done.count < maximumAlternatives else { return nil }
            guard let close = next.firstIndex(of: UInt8(ascii: "}")) else {
                guard !next.contains(UInt8(ascii: "{")) else { return nil }
                done.append(next)
                continue
            }
            guard let open = next[..<close].lastIndex(of: UInt8(ascii: "{")) else { return nil }
            let inner = next[(open + 1)..<close]
            for choice in inner.split(
                separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            {
                queue.append(Array(next[..<open] + choice + next[(close + 1)...]))
            }
        }
        return done
    }
}

/// Reads the syntax of a `Pattern`, by recursive descent with bounded depth.
///
///     choice   = sequence *( "|" sequence )
///     sequence = *( atom [ "*" / "+" / "?" / "{" n [ "," [ m ] ] "}" ] [ "?" ] )
///     atom     = "(" choice ")" / class / escape / "." / "^" / "$" / any other character
struct PatternParser {
    /// A value is never longer than a key, so no count beyond its length makes a difference.
    static let maximumCount = 1024
    static let maximumLength = 1024
    private static let maximumDepth = 50

    private let scalars: [Unicode.Scalar]
    private var next = 0
    private var depth = 0
    private var ignoresCase = false

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(Pattern.ParseError) -> PatternNode {
        guard scalars.count <= Self.maximumLength else {
            throw refuse("a pattern has at most \(Self.maximumLength) characters")
        }
        if scalars.starts(with: "(?i)".unicodeScalars) {
            ignoresCase = true
            next = 4
        }
        let node = try choice()
        guard next == scalars.count else { throw refuse("`)` without `(`") }
        return node
    }

    private var peek: Unicode.Scalar? { next < scalars.count ? scalars[next] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        next += 1
        return true
    }

    private func refuse(_ message: String, at offset: Int? = nil) -> Pattern.ParseError {
        Pattern.ParseError(message: message, offset: offset ?? next)
    }

    private func set(_ set: ScalarSet) -> PatternNode { .set(ignoresCase ? set.ignoringCase : set) }

    private mutating func choice() throws(Pattern.ParseError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw refuse("groups are nested too deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(Pattern.ParseError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            nodes.append(try quantified(try atom()))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func atom() throws(Pattern.ParseError) -> PatternNode {
        let begin = next
        guard let scalar = peek else { return .empty }
        next += 1
        switch scalar {
        case "(": return try group(begin)
        case "[": return try characterClass(begin)
        case "\\": return try escaped(begin)
        case ".": return .set(.anyButLineFeed)
        case "^": return .start
        case "$": return .end
        case "*", "+", "?": throw refuse("`\(scalar)` has nothing to repeat", at: begin)
        case "{":
            throw refuse("`{` has nothing to repeat; the character itself is `\\{`", at: begin)
        case "]", "}":
            throw refuse(
                "`\(scalar)` without its opening; the character itself is `\\\(scalar)`", at: begin)
        default: return set(ScalarSet(scalar))
        }
    }

    private mutating func group(_ begin: Int) throws(Pattern.ParseError) -> PatternNode {
        if take("?") {
            if take("<") {
                guard let scalar = peek, scalar != "=", scalar != "!" else {
                    throw refuse("look-behind is not supported", at: begin)
                }
                while let scalar = peek, ScalarSet.word.contains(scalar.value) { next += 1 }
                guard take(">") else { throw refuse("the name of a group ends with `>`") }
            } else if peek == "=" || peek == "!" {
                throw refuse("look-ahead is not supported", at: begin)
            } else if !take(":") {
                throw refuse(
                    "after `(?` stands `:` or `<name>`; `(?i)` stands at the very beginning",
                    at: begin)
            }
        }
        let node = try choice()
        guard take(")") else { throw refuse("`(` without `)`", at: begin) }
        return node
    }

    private mutating func quantified(
        _ node: PatternNode
    ) throws(Pattern.ParseError) -> PatternNode {
        let begin = next
        let minimum: Int
        let maximum: Int?
        if take("*") {
            (minimum, maximum) = (0, nil)
        } else if take("+") {
            (minimum, maximum) = (1, nil)
        } else if take("?") {
            (minimum, maximum) = (0, 1)
        } else if take("{") {
            (minimum, maximum) = try counts(begin)
        } else {
            return node
        }
        // Lazy or not makes no difference when the whole value must match.
        _ = take("?")
        if let scalar = peek, scalar == "*" || scalar == "+" || scalar == "{" || scalar == "?" {
            throw refuse("`\(scalar)` repeats a repetition; use a group")
        }
        return .repeated(node, minimum: minimum, maximum: maximum)
    }

    private mutating func counts(_ begin: Int) throws(Pattern.ParseError) -> (Int, Int?) {
        guard let minimum = try number() else {
            throw refuse("`{` wants a count: `{2}`, `{2,}` or `{2,5}`", at: begin)
        }
        var maximum: Int? = minimum
        if take(",") { maximum = try number() }
        guard take("}") else { throw refuse("`{` without `}`", at: begin) }
        if let maximum, maximum < minimum {
            throw refuse("`{\(minimum),\(maximum)}` runs backwards", at: begin)
        }
        return (minimum, maximum)
    }

    private mutating func number() throws(Pattern.ParseError) -> Int? {
        var value: Int?
        while let scalar = peek, ScalarSet.digits.contains(scalar.value) {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            if let value, value > Self.maximumCount {
                throw refuse("a count is at most \(Self.maximumCount)")
            }
            next += 1
        }
        return value
    }

    private mutating func escaped(_ begin: Int) throws(Pattern.ParseError) -> PatternNode {
        switch peek {
        case "A":
            next += 1
            return .start
        case "z", "Z":
            next += 1
            return .end
        default:
            switch try escape(begin) {
            case .scalar(let scalar): return set(ScalarSet(scalar))
            case .set(let members): return set(members)
            }
        }
    }

    private enum Escape {
        case scalar(Unicode.Scalar)
        case set(ScalarSet)
    }

    private mutating func escape(_ begin: Int) throws(Pattern.ParseError) -> Escape {
        guard let scalar = peek else { throw refuse("`\\` at the end", at: begin) }
        next += 1
        switch scalar {
        case "d": return .set(.digits)
        case "D": return .set(ScalarSet.digits.inverted)
        case "w": return .set(.word)
        case "W": return .set(ScalarSet.word.inverted)
        case "s": return .set(.space)
        case "S": return .set(ScalarSet.space.inverted)
        case "t": return .scalar("\t")
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "f": return .scalar("\u{0C}")
        case "v": return .scalar("\u{0B}")
        case "x": return .scalar(try hexadecimal(2, begin))
        case "u": return .scalar(try hexadecimal(4, begin))
        case "p", "P": return .set(try category(isInverted: scalar == "P", begin))
        case "1"..."9": throw refuse("back references are not supported", at: begin)
        case "b", "B": throw refuse("`\\\(scalar)` is not supported", at: begin)
        default:
            guard scalar.isASCII, !ScalarSet.word.contains(scalar.value), scalar.value > 0x20 else {
                throw refuse("`\\\(scalar)` means nothing", at: begin)
            }
            return .scalar(scalar)
        }
    }

    private mutating func hexadecimal(
        _ width: Int, _ begin: Int
    ) throws(Pattern.ParseError) -> Unicode.Scalar {
        let isBraced = take("{")
        var digits = ""
        while let scalar = peek, scalar.properties.isASCIIHexDigit,
            digits.utf8.count < (isBraced ? 6 : width)
        {
            digits.unicodeScalars.append(scalar)
            next += 1
        }
        guard isBraced ? take("}") : digits.utf8.count == width,
            let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)
        else {
            throw refuse("an escape by number is `\\x41`, `\\x{1F600}` or `\\u0041`", at: begin)
        }
        return scalar
    }

    private mutating func category(
        isInverted: Bool, _ begin: Int
    ) throws(Pattern.ParseError) -> ScalarSet {
        var name = ""
        if take("{") {
            while let scalar = peek, scalar != "}", name.utf8.count < 16 {
                name.unicodeScalars.append(scalar)
                next += 1
            }
        }
        guard take("}"), let set = ScalarSet.category(name) else {
            throw refuse(
                "`\\p` takes a general category of Unicode: `\\p{L}`, `\\p{Nd}`", at: begin)
        }
        return isInverted ? set.inverted : set
    }

    private mutating func characterClass(
        _ begin: Int
    ) throws(Pattern.ParseError) -> PatternNode {
        let isInverted = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = peek, scalar != "]" || isFirst {
            isFirst = false
            let place = next
            guard let low = try member() else { throw refuse("`[` without `]`", at: begin) }
            let isRange =
                peek == "-" && next + 1 < scalars.count && scalars[next + 1] != "]"
            guard isRange else {
                switch low {
                case .scalar(let scalar): ranges.append(scalar.value...scalar.value)
                case .set(let set): ranges += set.ranges
                }
                continue
            }
            next += 1
            guard case .scalar(let first) = low, case .scalar(let last)? = try member() else {
                throw refuse("a range runs from a character to a character", at: place)
            }
            guard first.value <= last.value else {
                throw refuse("the range `\(first)-\(last)` runs backwards", at: place)
            }
            ranges.append(first.value...last.value)
        }
        guard take("]") else { throw refuse("`[` without `]`", at: begin) }
        let members = ignoresCase ? ScalarSet(ranges).ignoringCase : ScalarSet(ranges)
        return .set(isInverted ? members.inverted : members)
    }

    private mutating func member() throws(Pattern.ParseError) -> Escape? {
        let begin = next
        guard let scalar = peek else { return nil }
        next += 1
        if scalar == "\\" { return try escape(begin) }
        if scalar == "[" {
            throw refuse(
                "`[` inside a class is written `\\[`; named classes are not supported", at: begin)
        }
        return .scalar(scalar)
    }
}

/// How nodes become values. Each function throws what is wrong in words that follow the field's name.
enum Values {
    static func scalar(_ node: Node, wanted: String) throws(ValueError) -> Scalar {
        guard case .scalar(let scalar) = node.content else {
            throw ValueError("expected \(wanted), found \(node.kind)")
        }
        guard !scalar.isBroken else { throw .reported }
        return scalar
    }

    /// Text, or a number or word that is taken as it is written; not empty.
    static func text(_ node: Node) throws(ValueError) -> String {
        let text = try anyText(node)
        guard !text.isEmpty else { throw ValueError("is empty") }
        return text
    }

    /// Text, possibly empty when it is quoted.
    static func anyText(_ node: Node) throws(ValueError) -> String {
        let scalar = try scalar(node, wanted: "text")
        guard !scalar.isNull else { throw ValueError("has no value") }
        return scalar.text
    }

    static func bool(_ node: Node) throws(ValueError) -> Bool {
        let scalar = try unquoted(node, wanted: "`true` or `false`")
        switch scalar.text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw ValueError("expected `true` or `false`, found \(scalar.quotation)")
        }
    }

    static func integer(_ range: ClosedRange<Int>) -> (Node) throws(ValueError) -> Int {
        { node throws(ValueError) in
            let scalar = try unquoted(node, wanted: "a whole number")
            guard let value = wholeNumber(scalar.text) else {
                throw ValueError("expected a whole number, found \(scalar.quotation)")
            }
            guard range.contains(value) else {
                throw ValueError(
                    "\(scalar.quotation) is not in \(grouped(range.lowerBound)) ... "
                        + grouped(range.upperBound))
            }
            return value
        }
    }

    /// A number; `wanted` says in words which ones `accepts` takes.
    static func number(
        _ wanted: String, _ accepts: @escaping (Double) -> Bool
    ) -> (Node) throws(ValueError) -> Double {
        { node throws(ValueError) in
            let scalar = try unquoted(node, wanted: "a number")
            let isPlain = scalar.text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
            }
            guard isPlain, let value = Double(scalar.text), value.isFinite else {
                throw ValueError("expected a number, found \(scalar.quotation)")
            }
            guard accepts(value) else { throw ValueError("\(scalar.quotation) is not \(wanted)") }
            return value
        }
    }

    /// One of the words of an enumeration.
    static func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type
    ) -> (Node) throws(ValueError) -> Word where Word.RawValue == String {
        { node throws(ValueError) in
            let words = type.allCases.map(\.rawValue)
            let wanted = alternatives(words)
            let scalar = try scalar(node, wanted: wanted)
            guard !scalar.isNull else { throw ValueError("has no value; it is \(wanted)") }
            guard let word = Word(rawValue: scalar.text) else {
                throw ValueError(
                    "expected \(wanted), found \(scalar.quotation)"
                        + Suggestion.ending(for: scalar.text, among: words))
            }
            return word
        }
    }

    static func alternatives(_ words: [String]) -> String {
        let quoted = words.map { "`\($0)`" }
        guard quoted.count > 1, let last = quoted.last else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }

    /// A scalar that is no text by its quotes. What holds `${NAME}` may be quoted: it often must be.
    static func unquoted(_ node: Node, wanted: String) throws(ValueError) -> Scalar {
        let scalar = try scalar(node, wanted: wanted)
        guard !scalar.isNull else { throw ValueError("has no value; it is \(wanted)") }
        guard !scalar.isText || scalar.isFromEnvironment else {
            throw ValueError(
                "expected \(wanted), found the text \(scalar.quotation); write it without quotes")
        }
        return scalar
    }

    /// Digits with a sign or none, without leading zeros: YAML's versions do not agree on `010`.
    static func wholeNumber(_ text: String) -> Int? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }

    /// 1000000 as 1,000,000.
    static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var groups: [String] = []
        while digits.utf8.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}

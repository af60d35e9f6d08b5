internal import FreshetModel

/// Text with `{name}` in the place of parameters.
///
/// Braces around anything that cannot be a parameter's name, such as those of a JSON body, are text,
/// and so is `${name}`, which belongs to a shell.
struct Template: Sendable {
    enum Piece: Sendable {
        case literal(String)
        case parameter(String)
    }

    let pieces: [Piece]

    /// Reads `text`, in which only `declared` parameters may stand.
    init(_ text: String, declared: [ParameterRule]) throws(SourceError) {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            literal += rest[..<open]
            let inner = rest[rest.index(after: open)...]
            guard literal.utf8.last != UInt8(ascii: "$"), let close = inner.firstIndex(of: "}"),
                Self.isName(inner[..<close])
            else {
                literal.append("{")
                rest = inner
                continue
            }
            let name = String(inner[..<close])
            guard declared.contains(where: { $0.name == name }) else {
                throw .permanent("{\(name)} is not a declared parameter")
            }
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = ""
            pieces.append(.parameter(name))
            rest = inner[inner.index(after: close)...]
        }
        literal += rest
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        self.pieces = pieces
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// Whether any parameter stands in it.
    var hasParameters: Bool {
        pieces.contains { if case .parameter = $0 { true } else { false } }
    }

    /// Whether a parameter stands at its very beginning.
    var beginsWithParameter: Bool {
        if case .parameter? = pieces.first { true } else { false }
    }

    /// The text with the values of `key`, each passed through `encode`.
    func expand(
        _ key: Key, _ encode: (String) throws(SourceError) -> String
    ) throws(SourceError) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .literal(let literal): text += literal
            case .parameter(let name): text += try encode(try key.value(of: name))
            }
        }
        return text
    }

    /// The text with the values of `key` as they are, but no NUL, which C strings end at.
    func expandPlain(_ key: Key) throws(SourceError) -> String {
        try expand(key) { value throws(SourceError) in
            guard !value.utf8.contains(0) else {
                throw .permanent("a parameter holds a NUL character")
            }
            return value
        }
    }
}

extension Key {
    func value(of name: String) throws(SourceError) -> String {
        guard let parameter = parameters.first(where: { $0.name == name }) else {
            throw .permanent("the key has no parameter \(name)")
        }
        return parameter.value
    }
}

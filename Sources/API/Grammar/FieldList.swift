/// Comma-separated lists of RFC 9110 section 5.6.1, as many request fields are.
enum FieldList {
    /// The non-empty members of `value`, white space cut, commas in quoted strings respected.
    static func members(_ value: some StringProtocol) -> [Substring] {
        split(Substring(value), at: UInt8(ascii: ","))
    }

    /// A member's token and its parameters: `gzip;q=0.5` is (`gzip`, [(`q`, `0.5`)]).
    static func parameters(
        _ member: Substring
    ) -> (token: Substring, parameters: [(name: String, value: String)]) {
        var pieces = split(member, at: UInt8(ascii: ";"))[...]
        let token = pieces.popFirst() ?? ""
        let parameters = pieces.map { piece in
            let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count > 1 ? trim(sides[1]) : ""
            return (name: trim(sides[0]).lowercased(), value: unquote(value))
        }
        return (token, parameters)
    }

    /// `text` without leading and trailing spaces and tabs.
    static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    private static func split(_ text: Substring, at separator: UInt8) -> [Substring] {
        var members: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                members.append(trim(text[start..<index]))
                start = text.utf8.index(after: index)
            }
        }
        members.append(trim(text[start...]))
        return members.filter { !$0.isEmpty }
    }

    private static func unquote(_ text: Substring) -> String {
        guard text.utf8.count >= 2, text.utf8.first == 0x22, text.utf8.last == 0x22 else {
            return String(text)
        }
        return String(text.dropFirst().dropLast()).replacing("\\\"", with: "\"")
    }
}

/// `{name}` in templates: a brace, the name of a parameter, a brace. Anything else in braces is
/// text, such as `{ title }` or `{"a": 1}`, so that JSON and GraphQL can be written as they are; and
/// so is `${name}`, which was written `$${name}`, for a shell to replace.
enum Placeholders {
    /// The names in `template`, in the order of their first appearance.
    static func names(in template: String) -> [String] {
        var names: [String] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            rest = rest[rest.index(after: open)...]
            let end = rest.firstIndex { $0 == "{" || $0 == "}" } ?? rest.endIndex
            let name = String(rest[..<end])
            let isAfterDollar = template[..<open].utf8.last == UInt8(ascii: "$")
            if end < rest.endIndex, rest[end] == "}", !isAfterDollar, looksLikeName(name),
                !names.contains(name)
            {
                names.append(name)
            }
        }
        return names
    }

    /// A letter or `_`, then letters, digits, `_`, `.` and `-`, 64 in all.
    static func isName(_ text: String) -> Bool {
        text.utf8.count <= 64 && looksLikeName(text) && !text.hasPrefix(".")
    }

    /// What is taken for a parameter in a template, also when no parameter can be called so.
    private static func looksLikeName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: ".") else {
            return false
        }
        return text.utf8.allSatisfy {
            isLetter($0) || (0x30...0x39).contains($0) || ".-".utf8.contains($0)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
        default: false
        }
    }
}

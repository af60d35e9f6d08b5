/// Replaces `${NAME}` in values by environment variables; `$${` stands for `${`.
///
/// What a variable holds is taken as it is: it is not looked at again, and it cannot add fields,
/// because the file has been parsed before.
struct Interpolation {
    let environment: [String: String]

    /// The text with all variables replaced, and what is wrong with those that are not.
    func expand(_ text: String) -> (text: String, problems: [String]) {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return (text, []) }
        var result = ""
        var problems: [String] = []
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    problems.append(
                        "`${` without `}`; write `$${` for the characters themselves")
                    break
                }
                do {
                    result += try value(of: String(rest.dropFirst(2)[..<end]))
                } catch {
                    problems.append(error.message)
                }
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return (result + rest, problems)
    }

    private func value(of name: String) throws(ValueError) -> String {
        guard Self.isName(name) else {
            throw ValueError(
                "`${\(Scalar(text: name, written: name).quotation.dropFirst().dropLast())}` is not the "
                    + "name of an environment variable; write `$${` for the characters themselves")
        }
        guard let value = environment[name] else {
            throw ValueError("the environment variable `${\(name)}` is not set")
        }
        return value
    }

    /// Letters, digits and `_`, not a digit first.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

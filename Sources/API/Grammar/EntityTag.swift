/// A validator of RFC 9110 section 8.8.3.
struct EntityTag: Hashable {
    /// What stands between the quotes.
    let opaque: String
    /// Weak tags say "means the same", strong ones "the same bytes".
    let isWeak: Bool

    /// As a field value: `"7"` or `W/"7"`.
    var text: String { isWeak ? "W/\"\(opaque)\"" : "\"\(opaque)\"" }

    /// Whether `If-None-Match` names the tag, by weak comparison (section 13.1.2).
    func isNamed(byIfNoneMatch field: String) -> Bool {
        let members = FieldList.members(field)
        if members.count == 1, members[0] == "*" { return true }
        return members.contains { Self.opaque(of: $0)?.opaque == opaque[...] }
    }

    /// Whether `If-Range` names the tag, by strong comparison (section 13.1.5); a date never does,
    /// because a payload may change twice in one second.
    func isNamed(byIfRange field: String) -> Bool {
        guard !isWeak, let given = Self.opaque(of: FieldList.trim(field[...])) else { return false }
        return !given.isWeak && given.opaque == opaque[...]
    }

    private static func opaque(of member: Substring) -> (opaque: Substring, isWeak: Bool)? {
        let isWeak = member.hasPrefix("W/")
        let quoted = isWeak ? member.dropFirst(2) : member
        guard quoted.utf8.count >= 2, quoted.first == "\"", quoted.last == "\"" else { return nil }
        return (quoted.dropFirst().dropLast(), isWeak)
    }
}

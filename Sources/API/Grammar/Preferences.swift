/// What a client would rather have: `Prefer`, RFC 7240.
struct Preferences: Equatable {
    /// The longest wait that is granted, in seconds.
    static let longestWait = 60

    /// `wait=N`: seconds it would wait for a refresh, at most `longestWait`.
    var wait: Int?
    /// `respond-async`: it would rather have a 202 than wait.
    var respondAsync = false

    /// A client without preferences.
    static let none = Preferences(nil)

    /// Reads the field; what is not understood is ignored, as section 2 says. The first of equal
    /// preferences counts.
    init(_ field: String?) {
        guard let field else { return }
        for member in FieldList.members(field) {
            let token = FieldList.parameters(member).token
            let sides = token.split(separator: "=", maxSplits: 1)
            guard let name = sides.first.map({ FieldList.trim($0).lowercased() }) else { continue }
            if name == "respond-async" {
                respondAsync = true
            } else if name == "wait", wait == nil, sides.count == 2 {
                let digits = FieldList.trim(sides[1]).filter { $0 != "\"" }
                guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
                else { continue }
                wait = min(Int(digits) ?? Self.longestWait, Self.longestWait)
            }
        }
    }

    /// Whether the client said anything that is understood.
    var isEmpty: Bool { wait == nil && !respondAsync }
}

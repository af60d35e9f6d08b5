/// The alias `path:` of a resource, `/api/events/{city}`.
struct PathForm: Hashable {
    enum Segment: Hashable {
        case literal(String)
        case parameter(String)
    }

    let text: String
    let segments: [Segment]

    /// What the API itself serves; everything below `/v1` too.
    static let reserved = [
        "/health", "/ready", "/refresh", "/refresh/status", "/status", "/stats",
        "/api/cache/stats", "/metrics", "/openapi.json", "/fetch-data", "/dashboard",
    ]

    init(parsing text: String) throws(ValueError) {
        guard text.hasPrefix("/") else {
            throw ValueError("a path begins with `/`, found \(Fields.quoted(text))")
        }
        guard text.utf8.count <= 512 else { throw ValueError("a path has at most 512 bytes") }
        var segments: [Segment] = []
        let pieces = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for piece in pieces {
            guard !piece.isEmpty || pieces.count == 1 else {
                throw ValueError("a path has no empty segment and no `/` at its end")
            }
            segments.append(try Self.segment(String(piece)))
        }
        let names = segments.compactMap { segment in
            if case .parameter(let name) = segment { name } else { nil }
        }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw ValueError("`{\(name)}` stands in it twice")
        }
        self.text = text
        self.segments = segments
    }

    private static func segment(_ piece: String) throws(ValueError) -> Segment {
        if piece.hasPrefix("{"), piece.hasSuffix("}") {
            let name = String(piece.dropFirst().dropLast())
            guard Placeholders.isName(name) else {
                throw ValueError("\(Fields.quoted(piece)) holds no name of a parameter")
            }
            return .parameter(name)
        }
        guard !piece.contains("{"), !piece.contains("}") else {
            throw ValueError(
                "\(Fields.quoted(piece)): a parameter is a whole segment, `/{name}/`")
        }
        guard piece != ".", piece != ".." else {
            throw ValueError("`\(piece)` is no segment of a path")
        }
        let bad = piece.unicodeScalars.first {
            $0.value <= 0x20 || $0.value == 0x7F || "%?#\"\\<>^`|".unicodeScalars.contains($0)
        }
        if let bad {
            throw ValueError(
                "\(Fields.quoted(String(Character(bad)))) cannot stand in a path; write characters "
                    + "as themselves, without query and escapes")
        }
        return .literal(piece)
    }

    /// The parameters in it, in order.
    var parameters: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// Literal segments: of two templates that match a path, the one with more of them counts.
    var literals: Int { segments.count - parameters.count }

    /// Whether some path matches both.
    func overlaps(_ other: PathForm) -> Bool {
        segments.count == other.segments.count
            && zip(segments, other.segments).allSatisfy { pair in
                if case (.literal(let left), .literal(let right)) = pair {
                    left == right
                } else {
                    true
                }
            }
    }

    /// The call of the API that has exactly this path.
    var takenBy: String? {
        if segments.first == .literal("v1") { return "/v1" }
        return parameters.isEmpty ? Self.reserved.first { $0 == text } : nil
    }

    /// Calls of the API that also match: they win.
    var shadowedBy: [String] {
        guard !parameters.isEmpty else { return [] }
        return Self.reserved.filter { path in
            (try? PathForm(parsing: path)).map(overlaps) ?? false
        }
    }
}

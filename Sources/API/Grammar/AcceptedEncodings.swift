internal import FreshetModel

/// Which content codings a client takes: `Accept-Encoding`, RFC 9110 section 12.5.3.
struct AcceptedEncodings: Equatable {
    /// Codings with a weight above zero, best first. Identity is last unless it was asked for.
    let preference: [PayloadEncoding]

    /// A client that says nothing gets the payload as it is.
    static let identity = AcceptedEncodings(nil)

    /// Reads the field. Weights decide; of equal ones zstd goes before gzip before identity, because
    /// it is smaller and cheaper for both sides. A coding that is not listed is not taken.
    init(_ field: String?) {
        guard let field else {
            preference = [.identity]
            return
        }
        var weights: [String: Int] = [:]
        for member in FieldList.members(field) {
            let (token, parameters) = FieldList.parameters(member)
            let weight = parameters.first { $0.name == "q" }.map { Self.thousandths($0.value) }
            let name = token.lowercased() == "x-gzip" ? "gzip" : token.lowercased()
            weights[name] = weight ?? 1000
        }
        let others = weights["*"] ?? 0
        var ranked: [(encoding: PayloadEncoding, weight: Int)] = []
        for encoding in [PayloadEncoding.zstd, .gzip] {
            let weight = weights[encoding.rawValue] ?? others
            if weight > 0 { ranked.append((encoding, weight)) }
        }
        // Identity is acceptable unless forbidden, and preferred only when its weight says so.
        let identity = weights["identity"] ?? (weights["*"] == 0 ? 0 : 1)
        if identity > 0 { ranked.append((.identity, identity)) }
        // The sort must keep the order of equals, which the standard one does not promise.
        let sorted = ranked.enumerated().sorted { left, right in
            left.element.weight != right.element.weight
                ? left.element.weight > right.element.weight : left.offset < right.offset
        }
        preference = sorted.isEmpty ? [.identity] : sorted.map(\.element.encoding)
    }

    /// The best coding.
    var best: PayloadEncoding { preference[0] }

    /// A weight of section 12.4.2 in thousandths; a malformed one counts as 0.
    private static func thousandths(_ text: String) -> Int {
        guard let value = Double(text), value >= 0, value <= 1 else { return 0 }
        return Int((value * 1000).rounded())
    }
}

/// Targets that are no path (RFC 9112, section 3.2): `http://HOST/PATH`, which must be taken, and `*`.
///
/// Section 3.2.2 lets the target's host win over another one in `Host`. Readers that do not agree on
/// that route one request to two places, so they must be the same.
enum TargetForm {
    static func isSound(_ exchange: HTTPExchange) -> Bool {
        let target = exchange.target
        if target == "*" { return exchange.method.name == "OPTIONS" }
        guard let mark = target.firstRange(of: "://"),
            ["http", "https"].contains(target[..<mark.lowerBound].lowercased())
        else { return false }
        let authority = target[mark.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else { return false }
        guard let host = exchange.header("Host") else { return exchange.isVersion10 }
        return host.lowercased() == authority.lowercased()
    }
}

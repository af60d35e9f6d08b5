internal import Codecs
internal import FreshetModel
internal import HTTPServer

/// Who a request comes from.
final class Caller: Sendable {
    /// The key's name; `nil` where there are no keys.
    let name: String?
    /// The widest scope, which includes the others; `nil`: none at all.
    let scope: Scope?
    let access: ResourceAccess
    /// What it was let in with; `nil` where there are no keys.
    let key: APIKey?

    init(_ key: APIKey) {
        self.key = key
        name = key.name
        scope = key.scopes.max()
        access = ResourceAccess(patterns: key.resources)
    }

    private init() {
        key = nil
        name = nil
        scope = .admin
        access = .all
    }

    /// Anybody, where there are no keys.
    static let anybody = Caller()

    func allows(_ scope: Scope) -> Bool { self.scope.map { $0 >= scope } ?? false }
}

/// Checks secrets against the configured keys.
struct AccessControl {
    private let keys: [(sha256: [UInt8], caller: Caller)]
    /// Secrets that were right: at most one per key. Which one a request shows cannot be told from
    /// the time a look-up takes, since hashes are seeded anew in each process.
    private var known: [String: Caller] = [:]

    init(_ settings: APISettings) {
        keys = settings.keys.map { ($0.sha256, Caller($0)) }
    }

    /// Whether callers must show a secret.
    var isClosed: Bool { !keys.isEmpty }

    /// Whether the key that `caller` showed is there, with the same rights.
    func stillHolds(_ caller: Caller) -> Bool {
        keys.isEmpty ? caller.key == nil : keys.contains { $0.caller.key == caller.key }
    }

    /// Who sent `request`.
    /// - Throws: 401 without a secret or with a wrong one.
    mutating func caller(_ request: HTTPRequest) throws(Problem) -> Caller {
        guard isClosed else { return .anybody }
        guard let secret = Self.secret(request) else {
            throw Self.unauthorized("The call needs a key.", isWrong: false)
        }
        if let caller = known[secret] { return caller }
        let digest = SHA256.hash(secret)
        // All keys are compared, each in constant time: how long it takes tells nothing.
        var found: Caller?
        for key in keys where ConstantTime.areEqual(key.sha256, digest) { found = key.caller }
        guard let found else { throw Self.unauthorized("The key is not known.", isWrong: true) }
        known[secret] = found
        return found
    }

    private static func secret(_ request: HTTPRequest) -> String? {
        if let secret = request.header("X-API-Key"), !secret.isEmpty { return secret }
        guard let authorization = request.header("Authorization") else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let secret = FieldList.trim(parts[1])
        return secret.isEmpty ? nil : String(secret)
    }

    private static func unauthorized(_ detail: String, isWrong: Bool) -> Problem {
        var problem = Problem(401, "unauthorized", detail)
        // RFC 6750 section 3: no error code where no secret was given.
        let challenge = "Bearer realm=\"freshet\""
        problem.fields = [
            ("WWW-Authenticate", isWrong ? challenge + ", error=\"invalid_token\"" : challenge)
        ]
        return problem
    }
}

extension Caller {
    /// - Throws: 403 when the caller may not do what needs `scope`.
    func demand(_ scope: Scope) throws(Problem) {
        guard !allows(scope) else { return }
        var problem = Problem(403, "forbidden", "The call needs the scope `\(scope.rawValue)`.")
        problem.fields = [
            (
                "WWW-Authenticate",
                "Bearer realm=\"freshet\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
            )
        ]
        throw problem
    }

    /// - Throws: 403 when the caller may not touch `resource`.
    func demand(_ resource: ResourceName) throws(Problem) {
        guard !access.allows(resource) else { return }
        throw Problem(403, "forbidden", "The key may not touch `\(resource)`.")
    }
}

internal import FreshetModel
internal import HTTPServer

/// Lets requests in: who they come from, and how many of them. All that a reload of the configuration
/// changes is in here.
final class Admission {
    private var access: AccessControl
    private var limiter: RateLimiter?
    private var rateLimit: RateLimit?
    /// Whether `/metrics` needs no key.
    private(set) var openMetrics: Bool

    init(_ settings: APISettings) {
        access = AccessControl(settings)
        rateLimit = settings.rateLimit
        limiter = settings.rateLimit.map { RateLimiter($0) }
        openMetrics = settings.openMetrics
    }

    /// Whether callers must show a secret.
    var isClosed: Bool { access.isClosed }

    /// Takes over other keys and another limit. Buckets stay as full as they are when the limit does.
    func reload(_ settings: APISettings) {
        access = AccessControl(settings)
        openMetrics = settings.openMetrics
        guard settings.rateLimit != rateLimit else { return }
        rateLimit = settings.rateLimit
        limiter = settings.rateLimit.map { RateLimiter($0) }
    }

    /// Whether what `caller` was let in with still holds.
    func stillAdmits(_ caller: Caller) -> Bool { access.stillHolds(caller) }

    /// Who `request` comes from. What is left of the caller's rate limit is told with the answer.
    /// - Throws: 401, 429.
    func admit(_ request: HTTPRequest) throws(Problem) -> Caller {
        let caller = try access.caller(request)
        guard limiter != nil else { return caller }
        let who = caller.name ?? request.remoteAddress
        guard let decision = limiter?.admit(who, now: request.receivedAt) else { return caller }
        request.exchange.addedFields = decision.fields
        if let retryAfter = decision.retryAfter {
            var problem = Problem(
                429, "rate_limited", "Too many requests; the next is taken in \(retryAfter) s.")
            problem.retryAfter = retryAfter
            throw problem
        }
        return caller
    }
}

internal import FreshetModel

/// What a request asks for: one case per row of the contract's table.
enum Route: Equatable {
    case health
    case ready
    case openAPI
    case dashboard
    case metrics
    case statistics
    case cacheStatistics
    case payload(KeyTarget)
    case refresh(KeyTarget)
    case refreshMany
    case status(KeyTarget)
    case statuses
    case expire(KeyTarget)
    case purge(KeyTarget)
    case job(String)
    case cancelJob(String)
    case jobs
    case queue
    case pause
    case resume
    case dead
    case retryDead
    case events

    /// The scope a caller needs; `nil`: none, not even a key.
    var scope: Scope? {
        switch self {
        case .health, .ready, .openAPI, .dashboard: nil
        case .metrics, .statistics, .cacheStatistics, .payload, .status, .statuses, .job, .jobs,
            .queue, .dead, .events:
            .read
        case .refresh, .refreshMany, .expire, .cancelJob: .refresh
        case .purge, .pause, .resume, .retryDead: .admin
        }
    }

    /// Whether the route is left out of the rate limit, so that probes work under load.
    var isProbe: Bool { self == .health || self == .ready }
}

/// Which key a path names; its parameters may also stand in the query.
struct KeyTarget: Equatable {
    /// How the path says it.
    enum Name: Equatable {
        /// A key's text, `events` or `events?city=oslo`.
        case key(String)
        /// The resource an alias belongs to.
        case resource(ResourceName)
        /// `default_resource`, or the key in the query's `resource`.
        case standard
    }

    var name: Name
    /// Parameters from `{name}` segments of an alias, decoded.
    var parameters: [Key.Parameter] = []
    /// `/fetch-data` answers 503 instead of waiting.
    var cold: ColdPolicy?

    static func key(_ text: String) -> KeyTarget { KeyTarget(name: .key(text)) }
}

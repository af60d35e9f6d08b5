internal import FreshetModel

/// From method and path to a route.
struct RouteTable {
    /// What a method and a path lead to.
    enum Match: Equatable {
        case route(Route)
        /// `OPTIONS`: what the path can do.
        case options(allow: String)
        /// The path is known, the method is not.
        case methodNotAllowed(allow: String)
        case notFound
        /// An escape in the path is malformed.
        case malformed
    }

    private let templates: [PathTemplate]

    /// A table with the aliases of `resources`.
    init(resources: [ResourceName: Resource]) {
        templates = resources.values
            .compactMap { resource in
                resource.path.map { PathTemplate($0, resource: resource.name) }
            }
            .sorted { ($0.literalCount, $1.resource) > ($1.literalCount, $0.resource) }
    }

    /// Finds what `method` on `path` means; `path` is raw, percent-encoded and without query.
    func match(method: String, path: String) -> Match {
        if path == "*" {
            return method == "OPTIONS"
                ? .options(allow: "GET, HEAD, POST, DELETE, OPTIONS") : .notFound
        }
        guard path.hasPrefix("/") else { return .malformed }
        var segments: [String] = []
        for raw in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let segment = PercentEncoding.decode(raw) else { return .malformed }
            segments.append(segment)
        }
        let routes = routes(segments)
        guard !routes.isEmpty else { return .notFound }
        let wanted = method == "HEAD" ? "GET" : method
        if let route = routes.first(where: { $0.method == wanted })?.route { return .route(route) }
        let allow = Self.allow(routes.map(\.method))
        return method == "OPTIONS" ? .options(allow: allow) : .methodNotAllowed(allow: allow)
    }

    private static func allow(_ methods: [String]) -> String {
        var allowed: [String] = []
        for method in methods {
            allowed.append(method)
            if method == "GET" { allowed.append("HEAD") }
        }
        return (allowed + ["OPTIONS"]).joined(separator: ", ")
    }

    private typealias Entry = (method: String, route: Route)

    private func routes(_ path: [String]) -> [Entry] {
        if path.first == "v1" {
            let known = versioned(Array(path.dropFirst()))
            return known.isEmpty ? alias(path) : known
        }
        switch path {
        case ["health"]: return [("GET", .health)]
        case ["ready"]: return [("GET", .ready)]
        case ["openapi.json"]: return [("GET", .openAPI)]
        case ["dashboard"]: return [("GET", .dashboard)]
        case ["metrics"]: return [("GET", .metrics)]
        case ["stats"]: return [("GET", .statistics)]
        case ["api", "cache", "stats"]: return [("GET", .cacheStatistics)]
        case ["status"]: return [("GET", .statuses)]
        case ["refresh"]: return [("POST", .refresh(KeyTarget(name: .standard)))]
        case ["refresh", "status"]: return [("GET", .status(KeyTarget(name: .standard)))]
        case ["fetch-data"]:
            return [("GET", .payload(KeyTarget(name: .standard, cold: .unavailable)))]
        default: return alias(path)
        }
    }

    private func versioned(_ path: [String]) -> [Entry] {
        switch path.count {
        case 1:
            switch path[0] {
            case "resources": return [("GET", .statuses)]
            case "jobs": return [("GET", .jobs)]
            case "refresh": return [("POST", .refreshMany)]
            case "queue": return [("GET", .queue)]
            case "dead": return [("GET", .dead)]
            case "events": return [("GET", .events)]
            default: return []
            }
        case 2:
            switch (path[0], path[1]) {
            case ("queue", "pause"): return [("POST", .pause)]
            case ("queue", "resume"): return [("POST", .resume)]
            case ("dead", "retry"): return [("POST", .retryDead)]
            case ("resources", let key) where !key.isEmpty:
                return [("GET", .payload(.key(key))), ("DELETE", .purge(.key(key)))]
            case ("jobs", let id) where !id.isEmpty:
                return [("GET", .job(id)), ("DELETE", .cancelJob(id))]
            default: return []
            }
        case 3 where path[0] == "resources" && !path[1].isEmpty:
            let target = KeyTarget.key(path[1])
            switch path[2] {
            case "refresh": return [("POST", .refresh(target))]
            case "expire": return [("POST", .expire(target))]
            case "status": return [("GET", .status(target))]
            default: return []
            }
        default: return []
        }
    }

    private func alias(_ path: [String]) -> [Entry] {
        for template in templates {
            guard let parameters = template.match(path) else { continue }
            let target = KeyTarget(name: .resource(template.resource), parameters: parameters)
            return [("GET", .payload(target))]
        }
        return []
    }
}

internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Every request comes here: who is it, what is meant, who answers.
///
/// A read whose target was seen before goes from two table look-ups to its answer: what a target
/// means does not change while the process runs.
final class APIHandler: HTTPHandler {
    /// Targets remembered; strangers with ever new ones cost no more than this.
    private static let plansAtMost = 20_000

    private let core: APICore
    private let routes: RouteTable
    private let admission: Admission
    private var plans: [String: ReadPlan] = [:]

    init(_ core: APICore) {
        self.core = core
        routes = RouteTable(resources: core.settings.resources)
        admission = core.admission
    }

    func handle(_ request: HTTPRequest) -> HTTPReply {
        do throws(Problem) {
            if request.method == .get || request.method == .head,
                let plan = plans[request.target]
            {
                let caller = try admission.admit(request)
                return try read(plan, request, caller)
            }
            return try dispatch(request)
        } catch {
            return .response(error.response(requestID: request.requestID))
        }
    }

    private func read(
        _ plan: ReadPlan, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        try caller.demand(plan.wantsRefresh ? .refresh : .read)
        try caller.demand(plan.resource.name)
        if plan.wantsStream, request.method == .get {
            return try core.shares.take(caller, request) { core.keyStreams.handle(plan, request) }
        }
        return core.reads.handle(plan, request)
    }

    private func dispatch(_ request: HTTPRequest) throws(Problem) -> HTTPReply {
        let match = routes.match(method: request.method.name, path: request.path)
        if case .route(let route) = match, route.isProbe || route.scope == nil {
            return try open(route, request)
        }
        if case .route(.metrics) = match, admission.openMetrics { return metrics(request) }
        let caller = try admission.admit(request)
        switch match {
        case .route(let route):
            if let scope = route.scope { try caller.demand(scope) }
            return try answer(route, request, caller)
        case .options(let allow):
            return .response(HTTPResponse(status: 204, headers: [("Allow", allow)]))
        case .methodNotAllowed(let allow):
            var problem = Problem(
                405, "method_not_allowed", "The path takes \(allow).")
            problem.fields = [("Allow", allow)]
            throw problem
        case .notFound: throw .notFound("not_found", "There is nothing at this path.")
        case .malformed:
            throw .badRequest("invalid_path", "The path holds a malformed escape.")
        }
    }

    /// Calls that need no key.
    private func open(_ route: Route, _ request: HTTPRequest) throws(Problem) -> HTTPReply {
        // Probes add what they like to the query; a probe that fails for that helps nobody.
        switch route {
        case .health: return core.probes.health()
        case .ready: return later(request) { core throws(Problem) in try await core.probes.ready() }
        default:
            // Without keys it counts against the address.
            if !admission.isClosed { _ = try admission.admit(request) }
            return route == .dashboard ? core.dashboard.answer(request) : core.openAPI
        }
    }

    private func metrics(_ request: HTTPRequest) -> HTTPReply {
        later(request) { core throws(Problem) in
            await core.collect()
            return .response(
                HTTPResponse(
                    status: 200,
                    headers: [
                        ("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
                        ("Cache-Control", "no-store"),
                    ],
                    body: Array(core.metricsRegistry.render().utf8)))
        }
    }

    /// Answers by a task on the loop; problems become responses.
    private func later(
        _ request: HTTPRequest,
        _ body: @escaping (APICore) async throws(Problem) -> HTTPReply
    ) -> HTTPReply {
        let requestID = request.requestID
        let core = core
        return .task { _ in
            do throws(Problem) {
                return try await body(core)
            } catch {
                return .response(error.response(requestID: requestID))
            }
        }
    }

    // MARK: routes

    private func answer(
        _ route: Route, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        var query = try StrictQuery(request.query ?? "")
        switch route {
        case .payload(let target): return try payload(target, &query, request, caller)
        case .refresh(let target), .expire(let target):
            let (resource, key) = try core.resolver.resolve(target, &query)
            try caller.demand(resource.name)
            let body = try RefreshBody(try smallBody(request))
            let requestID = request.requestID
            let isExpiry = if case .expire = route { true } else { false }
            let trace = TraceParent.valid(request.header("traceparent"))
            return later(request) { core throws(Problem) in
                try await core.asks.refresh(
                    key, resource, body, traceparent: trace, requestID: requestID,
                    expires: isExpiry)
            }
        case .status(let target):
            let (resource, key) = try core.resolver.resolve(target, &query)
            try caller.demand(resource.name)
            return later(request) { core throws(Problem) in
                try await core.statuses.status(key)
            }
        case .purge(let target):
            let (resource, key) = try core.resolver.resolve(target, &query)
            try caller.demand(resource.name)
            return later(request) { core throws(Problem) in try await core.asks.purge(key) }
        case .statuses, .jobs, .dead: return try list(route, query, request, caller)
        case .events: return try events(&query, request, caller)
        default:
            try query.finish()
            return try plain(route, request, caller)
        }
    }

    private func list(
        _ route: Route, _ query: StrictQuery, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        var query = query
        var states: Set<JobState> = [.dead]
        if route == .jobs { states = try JobHandler.takeStates(&query) }
        return later(request) { [query, states] core throws(Problem) in
            var query = query
            switch route {
            case .statuses: return try await core.statuses.list(&query, caller: caller)
            case .dead:
                return try await core.jobs.list(states, &query, name: "dead", caller: caller)
            default:
                let name = "jobs " + states.map(\.rawValue).sorted().joined(separator: " ")
                return try await core.jobs.list(states, &query, name: name, caller: caller)
            }
        }
    }

    /// Calls whose query is empty.
    private func plain(
        _ route: Route, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        switch route {
        case .metrics: return metrics(request)
        case .refreshMany:
            let body = try RefreshBody(request.body, takesKeys: true)
            let trace = TraceParent.valid(request.header("traceparent"))
            return later(request) { core throws(Problem) in
                try await core.asks.refreshMany(
                    body.keys ?? [], body, caller: caller, traceparent: trace)
            }
        case .retryDead:
            let selection = try DeadHandler.Selection(request.body)
            return later(request) { core throws(Problem) in
                try await core.dead.retry(selection, caller: caller)
            }
        default:
            return later(request) { core throws(Problem) in
                switch route {
                case .statistics: return try await core.queue.statistics(caller: caller)
                case .cacheStatistics:
                    return try await core.statuses.cacheStatistics(caller: caller)
                case .job(let id): return try await core.jobs.job(id, caller: caller)
                case .cancelJob(let id): return try await core.jobs.cancel(id, caller: caller)
                case .pause: return try await core.queue.setPaused(true)
                case .resume: return try await core.queue.setPaused(false)
                default: return try await core.queue.queue()
                }
            }
        }
    }

    private func payload(
        _ target: KeyTarget, _ query: inout StrictQuery, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        let wantsRefresh = try query.takeFlag("refresh")
        let wantsStream = try query.takeFlag("stream")
        let (resource, key) = try core.resolver.resolve(target, &query)
        let plan = ReadPlan(
            key: key, resource: resource, wantsRefresh: wantsRefresh, wantsStream: wantsStream,
            cold: target.cold ?? resource.cold)
        let reply = try read(plan, request, caller)
        if plans.count >= Self.plansAtMost { plans.removeAll() }
        plans[request.target] = plan
        return reply
    }

    private func events(
        _ query: inout StrictQuery, _ request: HTTPRequest, _ caller: Caller
    ) throws(Problem) -> HTTPReply {
        var subject = EventFilter.Subject.all
        let key = try query.take("key")
        let job = try query.take("job")
        if let key {
            guard job == nil else {
                throw .badRequest("invalid_parameter", "`key` and `job` exclude each other.")
            }
            let (resource, resolved) = try core.resolver.resolve(text: key)
            try caller.demand(resource.name)
            subject = .key(resolved)
        } else if let job {
            // A `+` of an id stands for itself, where a query means a space.
            guard let id = JobID(job.replacing(" ", with: "+")) else {
                throw .notFound("unknown_job", "No job `\(job.shortened)` is known.")
            }
            try caller.demand(id.key.resource)
            subject = .job(id)
        }
        try query.finish()
        if request.method == .head {
            return .response(
                HTTPResponse(status: 200, headers: [("Content-Type", "text/event-stream")]))
        }
        let filter = EventFilter(subject: subject, access: caller.access)
        return try core.shares.take(caller, request) { () throws(Problem) in
            try core.events.handle(filter, request)
        }
    }

    /// A body that is one asking: more than 256 KiB cannot be one.
    private func smallBody(_ request: HTTPRequest) throws(Problem) -> [UInt8] {
        let body = request.body
        guard body.count <= 256 << 10 else {
            throw Problem(413, "body_too_large", "The body may have 256 KiB.")
        }
        return body
    }
}

/// W3C trace context, carried from a request to its job.
enum TraceParent {
    /// `field` when it is a `traceparent` of version 00.
    static func valid(_ field: String?) -> String? {
        guard let field else { return nil }
        let parts = field.split(separator: "-", omittingEmptySubsequences: false)
        let lengths = [2, 32, 16, 2]
        guard parts.count == 4, parts[0] == "00",
            zip(parts, lengths).allSatisfy({ part, length in
                part.utf8.count == length
                    && part.utf8.allSatisfy {
                        (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
                    }
            }),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return field
    }
}

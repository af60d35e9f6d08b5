internal import FreshetModel

extension APIOperation {
    private static let key = APIParameter(
        "key", in: "path",
        "A resource, or a whole key percent-encoded; parameters may also stand in the query",
        isRequired: true)
    private static let id = APIParameter("id", in: "path", "The job's id", isRequired: true)
    private static let paging = [
        APIParameter(
            "limit", in: "query", "1 to 1000; 100 when absent", type: "integer",
            range: 1...1000),
        APIParameter("cursor", in: "query", "`next_cursor` of the page before"),
    ]
    private static let unavailable = APIResponse.problem(503, "The store cannot be reached")
    private static let unknown = APIResponse.problem(404, "Not configured or not known")
    private static let lastEventID = APIParameter(
        "Last-Event-ID", in: "header", "The id of the last event seen: only later ones are sent")

    /// What a read takes beside the parameters of its key.
    static let readParameters = [
        APIParameter("refresh", in: "query", "Also queues a refresh", type: "boolean"),
        APIParameter("stream", in: "query", "Answers as server-sent events", type: "boolean"),
        APIParameter("Prefer", in: "header", "`wait=N` up to 60 s, `respond-async` (RFC 7240)"),
        APIParameter("If-None-Match", in: "header", "An `ETag` given before"),
        APIParameter("Range", in: "header", "A range of bytes, for raw answers"),
    ]

    static let readResponses = [
        .payload("The payload: an envelope, the payload itself, or with `stream` events"),
        APIResponse(202, "Nothing kept yet, and the client does not wait", "Receipt"),
        APIResponse(206, "Part of the payload"),
        APIResponse(304, "The client has it"),
        unknown,
        .problem(416, "The range lies past the end"),
        .problem(502, "The first attempt failed: `source_failed`"),
        .problem(503, "`not_ready`, `queue_full` or `redis_unavailable`"),
    ]

    private static let asked = [
        APIResponse(202, "Queued, or joined", "Receipt"), unknown,
        .problem(413, "The body is too large"),
        .problem(503, "`queue_full`, `not_durable` or `redis_unavailable`"),
    ]

    /// All calls but the aliases.
    static let all: [APIOperation] =
        probes + reading + asking + jobs + queue + watching

    private static let probes = [
        APIOperation("get", "/health", "health", "Whether this process serves", nil)
            .answering([APIResponse(200, "It does", "Health")]),
        APIOperation("get", "/ready", "ready", "Whether Redis is reachable and takes writes", nil)
            .answering([APIResponse(200, "It is", "Ready"), .problem(503, "What is missing")]),
        APIOperation("get", "/openapi.json", "openapi", "This document", nil)
            .answering([APIResponse(200, "OpenAPI 3.1", "Document")]),
        APIOperation("get", "/dashboard", "dashboard", "A page to look at all of this", nil)
            .answering([
                APIResponse(200, "HTML, without any data of its own"),
                APIResponse(304, "Unchanged"),
            ]),
        APIOperation("get", "/metrics", "metrics", "Metrics for Prometheus", .read)
            .answering([APIResponse(200, "Exposition format 0.0.4")]),
    ]

    private static let reading = [
        APIOperation("get", "/v1/resources/{key}", "read", "The payload", .read)
            .taking([key] + readParameters).answering(readResponses),
        APIOperation(
            "get", "/fetch-data", "fetchData", "`default_resource`, without waiting", .read
        )
        .taking(readParameters).answering(readResponses),
        APIOperation("get", "/v1/resources/{key}/status", "status", "The status of a key", .read)
            .taking([key])
            .answering([APIResponse(200, "The status", "Status"), unknown, unavailable]),
        APIOperation("get", "/refresh/status", "defaultStatus", "The status of a key", .read)
            .taking([APIParameter("resource", in: "query", "A key; `default_resource` when absent")]
            )
            .answering([APIResponse(200, "The status", "Status"), unknown, unavailable]),
        APIOperation("get", "/v1/resources", "statuses", "The status of every key", .read)
            .taking(paging).answering([APIResponse(200, "A page", "StatusPage"), unavailable]),
        APIOperation("get", "/status", "allStatuses", "The status of every key", .read)
            .taking(paging).answering([APIResponse(200, "A page", "StatusPage"), unavailable]),
    ]

    private static let asking = [
        APIOperation(
            "post", "/v1/resources/{key}/refresh", "refresh", "Asks for a refresh", .refresh
        )
        .taking([key]).taking(body: "RefreshBody", isRequired: false).answering(asked),
        APIOperation(
            "post", "/refresh", "refreshDefault", "Asks for a refresh of `default_resource`",
            .refresh
        ).taking(body: "RefreshBody", isRequired: false).answering(asked),
        APIOperation(
            "post", "/v1/resources/{key}/expire", "expire",
            "Marks the payload stale, keeps serving it and asks for a refresh", .refresh
        ).taking([key]).taking(body: "RefreshBody", isRequired: false).answering(asked),
        APIOperation("post", "/v1/refresh", "refreshMany", "Asks for many refreshes", .refresh)
            .taking(body: "RefreshManyBody", isRequired: true)
            .answering([APIResponse(202, "An item for each key", "Receipts"), unavailable]),
        APIOperation(
            "delete", "/v1/resources/{key}", "purge", "Removes the payload for good", .admin
        ).taking([key]).answering([APIResponse(204, "Gone"), unknown, unavailable]),
    ]

    private static let state =
        "(?:" + JobState.allCases.map(\.rawValue).joined(separator: "|") + ")"

    private static let jobs = [
        APIOperation("get", "/v1/jobs", "jobs", "Jobs", .read)
            .taking(
                [
                    APIParameter(
                        "state", in: "query", "One or more, separated by commas",
                        pattern: "\(state)(?:,\(state))*")
                ] + paging
            )
            .answering([APIResponse(200, "A page", "JobPage"), unavailable]),
        APIOperation("get", "/v1/jobs/{id}", "job", "A job", .read).taking([id])
            .answering([APIResponse(200, "The job", "Job"), unknown, unavailable]),
        APIOperation("delete", "/v1/jobs/{id}", "cancel", "Cancels a job", .refresh).taking([id])
            .answering([
                APIResponse(202, "Removed, or told to stop", "Job"), unknown,
                .problem(409, "`already_ended`"), unavailable,
            ]),
        APIOperation("get", "/v1/dead", "dead", "The dead jobs", .read)
            .taking(paging).answering([APIResponse(200, "A page", "JobPage"), unavailable]),
        APIOperation("post", "/v1/dead/retry", "retryDead", "Retries dead jobs", .admin)
            .taking(body: "DeadRetryBody", isRequired: true)
            .answering([APIResponse(202, "An item for each job", "Receipts"), unavailable]),
    ]

    private static let queue = [
        APIOperation("get", "/v1/queue", "queue", "The queue at a glance", .read)
            .answering([APIResponse(200, "The queue", "Queue"), unavailable]),
        APIOperation("post", "/v1/queue/pause", "pause", "Stops claims of all workers", .admin)
            .answering([APIResponse(200, "The queue", "Queue"), unavailable]),
        APIOperation("post", "/v1/queue/resume", "resume", "Lets workers claim again", .admin)
            .answering([APIResponse(200, "The queue", "Queue"), unavailable]),
        APIOperation("get", "/stats", "stats", "Counters, whole and per resource", .read)
            .answering([APIResponse(200, "Counters", "Statistics"), unavailable]),
        APIOperation("get", "/api/cache/stats", "cacheStats", "What is kept, per resource", .read)
            .answering([APIResponse(200, "By resource", "CacheStatistics"), unavailable]),
    ]

    private static let watching = [
        APIOperation("get", "/v1/events", "events", "What changes from now on", .read)
            .taking([
                APIParameter("key", in: "query", "Only of this key"),
                APIParameter("job", in: "query", "Only of this job; ends with `done`"),
                lastEventID,
            ])
            .answering([.events("Server-sent events"), unknown, unavailable])
    ]
}

/// The names of all fields, in the order of docs/configuration.md.
enum FieldNames {
    static let file = [
        "redis", "api", "worker", "refresh", "defaults", "default_resource", "resources",
    ]
    static let redis = ["url", "namespace", "partitions", "wait_replicas"]
    static let api = [
        "listen", "keys", "rate_limit", "open_metrics", "memory_limit", "tls", "limits",
    ]
    static let key = ["name", "sha256", "scopes", "resources"]
    static let rateLimit = ["requests_per_second", "burst"]
    static let tls = ["certificate", "key"]
    static let limits = [
        "connections", "connections_per_address", "streams", "streams_per_client", "header_bytes",
        "header_timeout", "body_timeout", "write_timeout", "idle_timeout",
    ]
    static let worker = ["concurrency", "drain_timeout"]
    static let refresh = [
        "check_interval", "max_concurrent", "max_queue", "batch_size", "retry_interval",
        "max_retries", "keep_jobs", "active_window",
    ]
    /// What `defaults` may say for all resources.
    static let defaults = [
        "fresh_for", "keep_for", "cold", "wait_timeout", "response", "priority", "timeout",
        "lease", "refresh_ahead", "jitter", "max_variants", "retry",
    ]
    static let resource = ["path"] + defaults + ["schedule", "params", "source"]
    static let retry = ["max", "interval", "backoff", "max_interval"]
    static let schedule = ["every", "cron"]
    static let parameter = ["pattern", "default"]
    static let sources = ["http", "command", "directory", "postgres", "csv"]
    static let http = [
        "url", "method", "headers", "body", "select", "timeout", "connect_timeout", "max_bytes",
        "max_redirects", "allow_private",
    ]
    static let command = ["argv", "environment", "working_directory", "content_type", "max_bytes"]
    static let directory = [
        "root", "include", "exclude", "collections", "hash", "watch", "max_files",
    ]
    static let postgres = ["url", "query", "parameters", "max_rows"]
    static let csv = ["file", "url", "delimiter", "types"]

    /// Where a field belongs that stands in the wrong place.
    static let sections: [(title: String, names: [String])] = [
        ("the file's own fields", file), ("`redis`", redis), ("`api`", api),
        ("`limits`", limits), ("`worker`", worker),
        ("`refresh`", refresh), ("a resource", resource), ("`retry`", retry),
        ("`schedule`", schedule), ("`source.http`", http), ("`source.command`", command),
        ("`source.directory`", directory), ("`source.postgres`", postgres), ("`source.csv`", csv),
    ]
}

extension FieldNames {
    static func fields(ofSource kind: String) -> [String] {
        switch kind {
        case "http": http
        case "command": command
        case "directory": directory
        case "postgres": postgres
        default: csv
        }
    }
}

internal import Codecs
internal import Representation

/// The schemas of the document.
enum OpenAPISchemas {
    private typealias Properties = [(name: String, type: String)]

    /// A type is that of JSON Schema, with `?` for null as well, `[Name]` for an array of a schema,
    /// `Name` for a schema, `time` for an RFC 3339 string, `any` for anything.
    private static let objects: [(name: String, properties: Properties)] = [
        ("Health", [("status", "string")]),
        ("Ready", [("status", "string"), ("redis", "string"), ("workers_alive", "integer")]),
        (
            "Problem",
            [
                ("type", "string"), ("title", "string"), ("status", "integer"),
                ("detail", "string"), ("code", "string"), ("request_id", "string"),
                ("job", "Job"),
            ]
        ),
        (
            "Envelope",
            [
                ("status", "string"), ("items", "any"), ("count", "integer"),
                ("from_cache", "boolean"), ("cache_valid", "boolean"), ("cache_date", "time"),
                ("age_seconds", "number"), ("version", "integer"),
                ("refreshing_in_background", "boolean"), ("refresh", "Job?"), ("_info", "string"),
            ]
        ),
        (
            "Progress",
            [
                ("done", "number"), ("total", "number?"), ("percent", "number?"),
                ("message", "string?"), ("eta_seconds", "number?"),
            ]
        ),
        (
            "Job",
            [
                ("id", "string"), ("key", "string"), ("state", "string"),
                ("position", "integer?"), ("ahead", "integer?"), ("queue_depth", "integer"),
                ("partition", "integer"),
                ("eta_seconds", "number?"), ("progress", "Progress?"), ("attempt", "integer"),
                ("max_attempts", "integer?"), ("error", "string?"), ("created_at", "time"),
                ("started_at", "time?"), ("finished_at", "time?"), ("run_at", "time?"),
                ("duration_seconds", "number?"), ("version", "integer?"), ("worker", "string?"),
                ("priority", "string"), ("rerun", "boolean"),
            ]
        ),
        (
            "Receipt",
            [
                ("status", "string"), ("message", "string"), ("is_running", "boolean"),
                ("job_id", "string"), ("key", "string"), ("state", "string"),
                ("position", "integer?"), ("ahead", "integer?"), ("queue_depth", "integer"),
                ("partition", "integer"),
                ("eta_seconds", "number?"), ("running_seconds", "number?"), ("run_at", "time?"),
                ("durability", "string"), ("rerun", "boolean"),
            ]
        ),
        (
            "Status",
            [
                ("key", "string"), ("is_running", "boolean"), ("state", "string"),
                ("last_refresh", "time?"), ("last_duration_seconds", "number?"),
                ("error", "string?"), ("item_count", "integer?"),
                ("collections_count", "integer?"), ("file_count", "integer?"),
                ("cache_valid", "boolean"), ("cache_date", "time?"), ("age_seconds", "number?"),
                ("fresh_for_seconds", "number?"), ("version", "integer"),
                ("size_bytes", "integer?"), ("job_id", "string?"),
                ("position", "integer?"), ("eta_seconds", "number?"), ("progress", "Progress?"),
                ("consecutive_failures", "integer"), ("next_retry_at", "time?"),
                ("source_online", "boolean"),
            ]
        ),
        (
            "Queue",
            [
                ("waiting", "integer"), ("running", "integer"), ("delayed", "integer"),
                ("dead", "integer"), ("by_priority", "object"),
                ("oldest_waiting_seconds", "number?"), ("completed_per_second", "number"),
                ("paused", "boolean"), ("workers", "[Worker]"),
            ]
        ),
        (
            "Worker",
            [
                ("id", "string"), ("capacity", "integer"), ("running", "integer"),
                ("last_seen_at", "time?"), ("version", "string"),
            ]
        ),
        (
            "Event",
            [
                ("type", "string"), ("key", "string"), ("job_id", "string?"),
                ("version", "integer"), ("at", "time"), ("payload", "Envelope"),
            ]
        ),
        (
            "Statistics",
            [
                ("total_refreshes", "integer"), ("successful_refreshes", "integer"),
                ("failed_refreshes", "integer"), ("average_refresh_seconds", "number?"),
                ("last_refresh_at", "time?"), ("active_keys", "integer"),
                ("cache_hits", "integer"), ("cache_misses", "integer"),
                ("stale_hits", "integer"), ("hit_rate", "number"), ("source_bytes", "integer"),
                ("resources", "object"),
            ]
        ),
        ("CacheStatistics", []),
        ("Document", []),
        ("StatusPage", [("items", "[Status]"), ("next_cursor", "string?")]),
        ("JobPage", [("items", "[Job]"), ("next_cursor", "string?")]),
        ("Receipts", [("items", "[Receipt]")]),
    ]

    private static let primitives: Set<String> = [
        "string", "integer", "number", "boolean", "object",
    ]

    static func write(to json: inout JSONText) {
        for (name, properties) in objects {
            json.member(name) { json in
                json.member("type", "object")
                guard !properties.isEmpty else { return }
                json.member("properties") { json in
                    for property in properties {
                        json.member(property.name) { write(type: property.type, to: &$0) }
                    }
                }
            }
        }
        RequestSchemas.write(to: &json)
    }

    private static func write(type: String, to json: inout JSONText) {
        let isNullable = type.hasSuffix("?")
        let plain = isNullable ? String(type.dropLast()) : type
        if plain == "any" { return }
        if plain.hasPrefix("[") {
            json.member("type", "array")
            json.member("items") { write(type: String(plain.dropFirst().dropLast()), to: &$0) }
        } else if plain == "time" || primitives.contains(plain) {
            let name = plain == "time" ? "string" : plain
            if isNullable {
                json.member("type", [name, "null"]) { $0.value($1) }
            } else {
                json.member("type", name)
            }
            if plain == "time" { json.member("format", "date-time") }
        } else if isNullable {
            json.name("oneOf")
            json.array {
                $0.object { $0.member("$ref", "#/components/schemas/\(plain)") }
                $0.object { $0.member("type", "null") }
            }
        } else {
            json.member("$ref", "#/components/schemas/\(plain)")
        }
    }
}

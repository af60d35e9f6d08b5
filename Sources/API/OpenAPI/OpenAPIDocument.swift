internal import Codecs
internal import FreshetModel
internal import Representation

/// `GET /openapi.json`: OpenAPI 3.1 of what this process serves, its resources' aliases among it.
struct OpenAPIDocument {
    let bytes: [UInt8]

    init(_ settings: Settings, version: String) {
        bytes = JSONText.object { json in
            json.member("openapi", "3.1.0")
            json.member("info") {
                $0.member("title", "Freshet")
                $0.member("version", version)
                $0.member(
                    "description",
                    "Keeps slow payloads fresh: reads are answered from what is kept, refreshes run "
                        + "in the background.")
            }
            if !settings.api.keys.isEmpty {
                json.name("security")
                json.array {
                    $0.object { $0.member("apiKey", [String]()) { $0.value($1) } }
                    $0.object { $0.member("bearer", [String]()) { $0.value($1) } }
                }
            }
            json.member("paths") { paths in
                let operations = APIOperation.all + Self.aliases(settings)
                for path in Self.inOrder(operations.map(\.path)) {
                    paths.member(path) { item in
                        for operation in operations where operation.path == path {
                            operation.write(to: &item)
                        }
                    }
                }
            }
            json.member("components") { components in
                components.member("securitySchemes") {
                    $0.member("apiKey") {
                        $0.member("type", "apiKey")
                        $0.member("in", "header")
                        $0.member("name", "X-API-Key")
                    }
                    $0.member("bearer") {
                        $0.member("type", "http")
                        $0.member("scheme", "bearer")
                    }
                }
                components.member("schemas") { OpenAPISchemas.write(to: &$0) }
            }
        }
    }

    private static func inOrder(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    private static func aliases(_ settings: Settings) -> [APIOperation] {
        settings.resources.values.sorted { $0.name < $1.name }.compactMap { resource in
            guard let path = resource.path else { return nil }
            var operation = APIOperation(
                "get", path, "read_\(resource.name)", "The payload of `\(resource.name)`", .read)
            operation.parameters = resource.parameters.map { rule in
                let isSegment = path.contains("{\(rule.name)}")
                return APIParameter(
                    rule.name, in: isSegment ? "path" : "query",
                    "Matches `\(rule.pattern)`", isRequired: isSegment || rule.defaultValue == nil,
                    pattern: rule.pattern)
            }
            operation.parameters += APIOperation.readParameters
            operation.responses = APIOperation.readResponses
            return operation
        }
    }
}

/// A parameter in the document.
struct APIParameter {
    var name: String
    var place: String
    var description: String
    var isRequired: Bool
    var type: String
    /// Of a number.
    var range: ClosedRange<Int>?
    /// Of a text, whole.
    var pattern: String?

    init(
        _ name: String, in place: String, _ description: String, isRequired: Bool = false,
        type: String = "string", range: ClosedRange<Int>? = nil, pattern: String? = nil
    ) {
        self.name = name
        self.place = place
        self.description = description
        self.isRequired = isRequired
        self.type = type
        self.range = range
        self.pattern = pattern
    }

    func write(to json: inout JSONText) {
        json.object {
            $0.member("name", name)
            $0.member("in", place)
            $0.member("description", description)
            $0.member("required", isRequired)
            $0.member("schema") {
                $0.member("type", type)
                if let range {
                    $0.member("minimum", range.lowerBound)
                    $0.member("maximum", range.upperBound)
                }
                if let pattern { $0.member("pattern", "^(?:\(pattern))$") }
            }
        }
    }
}

/// A response in the document.
struct APIResponse {
    var status: Int
    var description: String
    /// Name of a schema; `nil`: no body.
    var schema: String?
    var mediaType = "application/json"
    /// What else it may be.
    var others: [(mediaType: String, schema: String)] = []

    init(_ status: Int, _ description: String, _ schema: String? = nil) {
        self.status = status
        self.description = description
        self.schema = schema
    }

    static func problem(_ status: Int, _ description: String) -> APIResponse {
        var response = APIResponse(status, description, "Problem")
        response.mediaType = "application/problem+json"
        return response
    }

    /// The payload: an envelope, the payload itself in any type, or a stream of events.
    static func payload(_ description: String) -> APIResponse {
        var response = APIResponse(200, description, "Envelope")
        response.others = [("text/event-stream", "Event"), ("*/*", "Document")]
        return response
    }

    static func events(_ description: String) -> APIResponse {
        var response = APIResponse(200, description, "Event")
        response.mediaType = "text/event-stream"
        return response
    }

    func write(to json: inout JSONText) {
        json.member("\(status)") {
            $0.member("description", description)
            guard let schema else { return }
            $0.member("content") {
                for (mediaType, schema) in [(mediaType, schema)] + others {
                    $0.member(mediaType) {
                        $0.member("schema") { $0.member("$ref", "#/components/schemas/\(schema)") }
                    }
                }
            }
        }
    }
}

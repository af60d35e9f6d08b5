internal import Codecs
internal import FreshetModel
internal import Representation

/// An operation in the document: a row of the contract's table.
struct APIOperation {
    var method: String
    var path: String
    var id: String
    var summary: String
    /// `nil`: no key needed.
    var scope: Scope?
    var parameters: [APIParameter] = []
    /// Name of the body's schema.
    var body: String?
    var isBodyRequired = false
    var responses: [APIResponse] = []

    init(_ method: String, _ path: String, _ id: String, _ summary: String, _ scope: Scope?) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.scope = scope
    }

    func taking(_ parameters: [APIParameter]) -> APIOperation {
        var operation = self
        operation.parameters += parameters
        return operation
    }

    func taking(body: String, isRequired: Bool) -> APIOperation {
        var operation = self
        operation.body = body
        operation.isBodyRequired = isRequired
        return operation
    }

    func answering(_ responses: [APIResponse]) -> APIOperation {
        var operation = self
        operation.responses += responses
        return operation
    }

    func write(to json: inout JSONText) {
        json.member(method) { json in
            json.member("operationId", id)
            json.member("summary", summary)
            if let scope {
                json.member(
                    "description", "Needs the scope `\(scope.rawValue)` where there are keys.")
            } else {
                json.member("security", [String]()) { $0.value($1) }
            }
            if !parameters.isEmpty {
                json.member("parameters", parameters) { $1.write(to: &$0) }
            }
            if let body {
                json.member("requestBody") {
                    $0.member("required", isBodyRequired)
                    $0.member("content") {
                        $0.member("application/json") {
                            $0.member("schema") {
                                $0.member("$ref", "#/components/schemas/\(body)")
                            }
                        }
                    }
                }
            }
            json.member("responses") { json in
                var all = responses
                if scope != nil {
                    all += [
                        .problem(400, "The request is not understood"),
                        .problem(401, "The key is missing or wrong"),
                        .problem(403, "The key may not do this"),
                        .problem(429, "Past the rate limit"),
                    ]
                }
                for response in all { response.write(to: &json) }
            }
        }
    }
}

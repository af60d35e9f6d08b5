internal import Codecs
internal import FreshetModel
internal import HTTPServer
internal import Representation

extension Problem {
    /// The response, `application/problem+json`.
    func response(requestID: String, maximumAttempts: Int? = nil) -> HTTPResponse {
        let body = JSONText.object { json in
            json.member("type", "about:blank")
            json.member("title", title)
            json.member("status", status)
            json.member("detail", detail)
            json.member("code", code)
            json.member("request_id", requestID)
            if let workersAlive { json.member("workers_alive", workersAlive) }
            if let job {
                json.member(
                    "job", nested: job,
                    maximumAttempts: maximumAttempts ?? self.maximumAttempts)
            }
        }
        var headers = [
            ("Content-Type", "application/problem+json"), ("Cache-Control", "no-store"),
        ]
        if let retryAfter { headers.append(("Retry-After", "\(retryAfter)")) }
        for field in fields { headers.append((field.name, field.value)) }
        return HTTPResponse(status: status, headers: headers, body: body)
    }
}

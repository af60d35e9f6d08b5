internal import Coordination
internal import FreshetModel

/// An error as clients see it: RFC 9457 problem details with a `code` that programs can switch on.
struct Problem: Error {
    /// The status code.
    var status: Int
    /// The same for every occurrence: the reason phrase of the status, which is what RFC 9457 wants
    /// of problems without a type of their own.
    var title: String
    /// A stable name of the error.
    var code: String
    /// What happened, for people.
    var detail: String
    /// The job it is about, for `not_ready` and `source_failed`.
    var job: Job?
    /// Attempts of that job's resource, where the answer does not know it anyway.
    var maximumAttempts: Int?
    /// `/ready`: live workers, when known.
    var workersAlive: Int??
    /// Seconds after which asking again may help: `Retry-After`.
    var retryAfter: Int?
    /// Further fields of the response.
    var fields: [(name: String, value: String)] = []

    init(_ status: Int, _ code: String, _ detail: String) {
        self.status = status
        title = StatusPhrase.text(status)
        self.code = code
        self.detail = detail
    }
}

extension Problem {
    /// 400.
    static func badRequest(_ code: String, _ detail: String) -> Problem {
        Problem(400, code, detail)
    }

    /// 404.
    static func notFound(_ code: String, _ detail: String) -> Problem {
        Problem(404, code, detail)
    }

    /// What a failed call on the store means to a client.
    init(_ error: RefreshError) {
        let what =
            error.code == .notDurable ? "The job stays queued" : "The coordination store failed"
        self.init(503, error.code.rawValue, "\(what): \(error.message)")
        retryAfter = 1
    }

    /// 503 past `max_queue`.
    static func queueFull(waiting: Int) -> Problem {
        var problem = Problem(
            503, "queue_full", "\(waiting) keys wait already; no further job was queued.")
        problem.retryAfter = 5
        return problem
    }

    /// Why given parameters make no key.
    init(_ error: Resource.KeyError, resource: ResourceName) {
        switch error {
        case .undeclared(let name):
            self.init(
                400, "unknown_parameter",
                "`\(resource)` has no parameter `\(name.shortened)`.")
        case .repeated(let name):
            self.init(400, "repeated_parameter", "`\(name)` is given more than once.")
        case .missing(let name):
            self.init(400, "missing_parameter", "`\(resource)` needs the parameter `\(name)`.")
        case .mismatch(let name, let pattern):
            self.init(400, "invalid_parameter", "`\(name)` does not match `\(pattern)`.")
        case .tooLong:
            self.init(
                400, "key_too_long", "The key is longer than \(Key.maximumLength) bytes.")
        }
    }
}

/// Reason phrases of RFC 9110 section 15, of the codes this API answers with.
enum StatusPhrase {
    static func text(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 408: "Request Timeout"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}

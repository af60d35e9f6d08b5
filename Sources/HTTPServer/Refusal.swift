/// Why a request is not even handed to the handler. Always followed by closing the connection: what
/// else its bytes mean is not known for sure.
struct Refusal: Hashable, Error {
    let status: Int
    let code: String
    let title: String
    let detail: String

    private init(_ status: Int, _ code: String, _ title: String, _ detail: String) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
    }

    static func malformed(_ detail: String) -> Refusal {
        Refusal(400, "malformed_request", "Malformed request", detail)
    }

    static func targetTooLong(_ limit: Int) -> Refusal {
        Refusal(
            414, "target_too_long", "Request target too long",
            "The request target has more than \(limit) bytes.")
    }

    static func headerTooLarge(_ limit: Int) -> Refusal {
        Refusal(
            431, "header_too_large", "Request header too large",
            "The request line and header fields must fit into \(limit) bytes.")
    }

    static let tooManyFields = Refusal(
        431, "header_too_large", "Request header too large",
        "The request has more than \(HeadInspector.fieldsMax) header fields.")

    static func bodyTooLarge(_ limit: Int) -> Refusal {
        Refusal(
            413, "body_too_large", "Request body too large",
            "The request body has more than \(limit) bytes.")
    }

    static let timeout = Refusal(
        408, "request_timeout", "Request timeout", "The request did not arrive in time.")

    static let version = Refusal(
        505, "version_not_supported", "HTTP version not supported",
        "This server speaks HTTP/1.1 and HTTP/1.0.")

    static let tooManyStreams = Refusal(
        503, "too_many_streams", "Too many event streams",
        "This server has as many event streams open as it may have.")

    static let stopping = Refusal(
        503, "stopping", "Shutting down", "This server is shutting down; try again.")

    static let failed = Refusal(
        500, "internal_error", "Internal error", "The request could not be answered.")

    func problem(_ requestID: String) -> HTTPProblem {
        HTTPProblem(
            status: status, code: code, title: title, detail: detail, requestID: requestID)
    }
}

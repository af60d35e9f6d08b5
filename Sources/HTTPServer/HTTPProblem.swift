/// An error the server itself answers with; what it looks like is the program's choice.
package struct HTTPProblem: Sendable, Hashable {
    package var status: Int
    /// Stable, for programs: `header_too_large`.
    package var code: String
    /// Short, for people, the same for every occurrence.
    package var title: String
    /// What was wrong this time.
    package var detail: String
    package var requestID: String

    package init(status: Int, code: String, title: String, detail: String, requestID: String) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.requestID = requestID
    }

    /// RFC 9457: `application/problem+json` with `type,title,status,detail,code,request_id`.
    package var response: HTTPResponse {
        let body =
            "{\"type\":\"about:blank\",\"title\":\(Self.quoted(title)),\"status\":\(status),"
            + "\"detail\":\(Self.quoted(detail)),\"code\":\(Self.quoted(code)),"
            + "\"request_id\":\(Self.quoted(requestID))}\n"
        return HTTPResponse(
            status: status,
            headers: [
                ("Content-Type", "application/problem+json"), ("Cache-Control", "no-store"),
            ],
            body: Array(body.utf8))
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

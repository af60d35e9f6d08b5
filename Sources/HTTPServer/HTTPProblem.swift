/// An error the server itself answers with; what it looks like is the program's choice.
package struct HTTPProblem: Sendable {
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
}

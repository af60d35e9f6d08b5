/// A response built for one request.
///
/// The server adds `Date`, `Content-Length` and `X-Request-Id`, and leaves out the body for HEAD.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [(String, String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

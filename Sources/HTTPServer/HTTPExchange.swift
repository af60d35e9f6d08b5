/// A request and the answer it waits for.
package final class HTTPExchange {
    /// Called once on the loop when the client goes before it is answered; set by who waits.
    package var onClientGone: (() -> Void)?
    /// Whether a reply can still be given: not answered yet, client still there.
    package var isOpen: Bool { false }

    package var request: HTTPRequest { HTTPRequest(exchange: self) }

    let method = HTTPMethod.get
    let target = ""
    let path = ""
    let query: String? = nil
    let body: [UInt8] = []
    let remoteAddress = ""
    let requestID = ""
    let receivedAt: UInt64 = 0

    init() {}

    /// Answers a request that was put off with `.later`. On the loop; the answers of one turn leave
    /// together. Does nothing when the client has gone or an answer was given.
    package func complete(_ reply: HTTPReply) {}

    func header(_ name: String) -> String? { nil }
    func headers(named name: String) -> [String] { [] }
}

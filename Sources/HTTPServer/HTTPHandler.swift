/// What answers requests. Called on the loop's thread, one request at a time.
package protocol HTTPHandler: AnyObject {
    /// Answers, or says how the answer will come. Must not block: nobody else is served meanwhile.
    func handle(_ request: HTTPRequest) -> HTTPReply
}

/// How a request is answered.
package enum HTTPReply {
    /// At once, from a response made before. `extra`: the values of its slots, in their order.
    case prepared(PreparedResponse, extra: [String]? = nil)
    /// At once, from a response made for this request.
    case response(HTTPResponse)
    /// By a task on the loop; the connection waits. The task is cancelled when the client goes.
    case task((HTTPRequest) async -> HTTPReply)
    /// By whoever keeps the exchange, with `HTTPExchange.complete`; the closure is called at once.
    case later((HTTPExchange) -> Void)
    /// With server-sent events; what was sent to the stream before is sent first.
    case stream(EventStream)
}

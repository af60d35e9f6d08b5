/// One request, valid while it is being handled: until its reply is given or its client has gone.
///
/// It borrows the server's memory; keep the strings you need, not the request.
package struct HTTPRequest {
    package let exchange: HTTPExchange

    package var method: HTTPMethod { exchange.method }
    /// As sent, undecoded, query included.
    package var target: String { exchange.target }
    /// The target up to `?`, undecoded.
    package var path: String { exchange.path }
    /// What follows `?` in the target, undecoded; `nil` without a `?`.
    package var query: String? { exchange.query }
    /// The whole body; empty when there is none.
    package var body: [UInt8] { exchange.body }
    /// The client's address without its port, `127.0.0.1` or `::1`.
    package var remoteAddress: String { exchange.remoteAddress }
    /// The client's `X-Request-Id` when it is sane (1 to 128 of `[A-Za-z0-9._-]`), or a fresh one of
    /// 16 hexadecimal digits.
    package var requestID: String { exchange.requestID }
    /// When the headers were complete, in nanoseconds of `EventLoop.monotonicNanoseconds()`.
    package var receivedAt: UInt64 { exchange.receivedAt }

    /// The first header field of that name, in any case; `nil` when there is none, or when the
    /// request is over.
    package func header(_ name: String) -> String? { exchange.header(name) }

    /// The values of all header fields of that name, in order.
    package func headers(named name: String) -> [String] { exchange.headers(named: name) }
}

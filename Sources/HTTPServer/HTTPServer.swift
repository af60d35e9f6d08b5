package import Runtime

/// An HTTP/1.1 server on one loop.
package final class HTTPServer: Service {
    /// Where and how to listen.
    package struct Configuration: Sendable {
        /// An address, or a name with one. Default: `127.0.0.1`.
        package var host = "127.0.0.1"
        /// 0: any free one, see `boundPort`. Default: 8080.
        package var port = 8080
        /// Lets other processes listen on the same port. Default: true.
        package var sharesPort = true
        /// PEM of the certificate chain and the key; `nil`: plain HTTP.
        package var tls: TLS?
        package var limits = HTTPLimits()
        /// How long a graceful shutdown waits for running requests. Default: 10 s.
        package var shutdownTimeout: Duration = .seconds(10)

        package init() {}
    }

    /// A certificate and its key, both PEM.
    package struct TLS: Sendable {
        package var certificateChain: String
        package var privateKey: String

        package init(certificateChain: String, privateKey: String) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }

    package let configuration: Configuration
    package let loop: EventLoop

    /// Makes a server that listens from `start`.
    ///
    /// - Parameters:
    ///   - handler: Made on the loop's thread, where it stays.
    ///   - problem: Renders the server's own errors; default `HTTPProblem.response`.
    package init(
        _ configuration: Configuration, loop: EventLoop,
        handler: @escaping @Sendable () -> any HTTPHandler,
        problem: @escaping @Sendable (HTTPProblem) -> HTTPResponse = { $0.response }
    ) {
        self.configuration = configuration
        self.loop = loop
    }

    /// Listens; connections wait until `run`. Returns the bound port.
    ///
    /// - Throws: `HTTPServerError`.
    @discardableResult
    package func start() async throws(HTTPServerError) -> Int { 0 }

    /// Serves until shut down (and listens first, when `start` was not called).
    package func run() async throws {}
}

/// Why a server cannot listen.
package struct HTTPServerError: Error, CustomStringConvertible {
    package var description: String
}

extension HTTPProblem {
    /// RFC 9457: `application/problem+json`.
    package var response: HTTPResponse { HTTPResponse(status: status) }
}

/// Bounds of what one server takes from its clients.
package struct HTTPLimits: Sendable, Hashable {
    /// Connections at once; more wait in the kernel's queue. Default: 16,384.
    package var connections = 16_384
    /// Connections at once from one address; 0: as many as there may be. Default: 0.
    package var connectionsPerAddress = 0
    /// Event streams at once; more are answered 503. Default: 16,384.
    package var streams = 16_384
    /// Bytes of the request line and header fields; more is 431, and so is less with very many fields
    /// or cookies, which count once more. Each connection takes this much memory and 2 KiB.
    /// Default: 6 KiB. Range: 256 bytes ... 30 KiB.
    package var headerBytes = 6 * 1024
    /// Bytes of the request target; more is 414. Default: 4 KiB. Must not pass `headerBytes`.
    package var targetBytes = 4 * 1024
    /// Bytes of a request's body; more is 413. Default: 1 MiB.
    package var bodyBytes = 1024 * 1024
    /// From the opening of a connection, or a request's first line, to the end of its headers,
    /// however the bytes drip. Default: 10 s.
    package var headerTimeout: Duration = .seconds(10)
    /// From the end of the headers to the end of the body. Default: 30 s.
    package var bodyTimeout: Duration = .seconds(30)
    /// How long a connection may stay without a request. Default: 75 s.
    package var idleTimeout: Duration = .seconds(75)
    /// How long a response may make no progress because its reader takes nothing. Default: 30 s.
    package var writeTimeout: Duration = .seconds(30)
    /// Bytes queued for one event stream behind the chunk being sent; past it the stream is closed.
    /// Default: 1 MiB.
    package var streamQueueBytes = 1024 * 1024

    /// How often an event stream gets a comment; one that changes its place in the table of streams
    /// waits for twice as long once. Default: 7 s, for a sign of life at least every 15 s.
    package var streamHeartbeat: Duration = .seconds(7)

    package init() {}
}

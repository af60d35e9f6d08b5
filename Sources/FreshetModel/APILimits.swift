/// `api.limits` of the configuration: what one API process takes from its clients at most.
public struct APILimits: Sendable, Hashable {
    /// Connections at once; more wait in the kernel. Default: 16,384.
    public var connections = 16_384
    /// Connections at once from one address; 0: any number, `nil`: see `connectionsPerAddress(of:)`.
    public var connectionsPerAddress: Int?
    /// Event streams at once. Default: 16,384.
    public var streams = 16_384
    /// Event streams of one key, or address where there are no keys; 0: any number, `nil`: see
    /// `streamsPerClient(of:)`.
    public var streamsPerClient: Int?
    /// Bytes of a request's line and header fields. Default: 6 KiB.
    public var headerBytes = 6 << 10
    /// From the opening of a connection, or a request's first byte, to the end of its header.
    ///
    /// Default: 10 s.
    public var headerTimeout: Duration = .seconds(10)
    /// From the end of the header to the end of the body. Default: 30 s.
    public var bodyTimeout: Duration = .seconds(30)
    /// How long a response may make no progress. Default: 30 s.
    public var writeTimeout: Duration = .seconds(30)
    /// How long a connection may stay without a request. Default: 75 s.
    public var idleTimeout: Duration = .seconds(75)

    /// The defaults of the configuration.
    public init() {}

    /// Where nothing is said: a quarter of all, so that it takes several addresses to use them up.
    /// On loopback no limit: all come from one address there, and often through a proxy.
    package func connectionsPerAddress(of api: APISettings) -> Int {
        connectionsPerAddress ?? (api.isOnLoopback ? 0 : max(1, connections / 4))
    }

    /// The same of event streams.
    package func streamsPerClient(of api: APISettings) -> Int {
        streamsPerClient ?? (api.isOnLoopback ? 0 : max(1, streams / 4))
    }
}

extension APISettings {
    fileprivate var isOnLoopback: Bool { ListenAddress(listen)?.isLoopback ?? false }
}

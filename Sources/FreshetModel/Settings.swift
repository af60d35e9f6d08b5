/// Everything a process of Freshet is told: the configuration file, checked and with defaults.
public struct Settings: Sendable, Hashable {
    /// Where coordination lives.
    public var redis = RedisSettings()
    /// How the API serves.
    public var api = APISettings()
    /// How workers work.
    public var worker = WorkerSettings()
    /// Limits and times of refreshing.
    public var refresh = RefreshSettings()
    /// What `/refresh`, `/refresh/status` and `/fetch-data` mean.
    public var defaultResource: ResourceName?
    /// All resources by name.
    public var resources: [ResourceName: Resource] = [:]

    /// The defaults of the configuration.
    public init() {}
}

/// `redis:` of the configuration.
public struct RedisSettings: Sendable, Hashable {
    /// `redis://`, `unix://`, `redis+sentinel://` or `redis+cluster://`; `nil`: not said.
    public var url: String?
    /// Prefix of every key. Default: `freshet`.
    public var namespace = "freshet"
    /// Hash slots the keys are spread over. Default: 1. Range: 1 ... 256.
    public var partitions = 1
    /// Replicas that must have a job before its 202. Default: 0.
    public var waitReplicas = 0

    /// The defaults of the configuration.
    public init() {}
}

/// What a key of the API may do.
public enum Scope: String, Sendable, CaseIterable, Comparable {
    /// See payloads, status, jobs, events.
    case read
    /// Ask for and cancel refreshes; includes `read`.
    case refresh
    /// Purge, pause, retry the dead; includes `refresh`.
    case admin

    /// A wider scope orders later and includes the narrower.
    public static func < (left: Scope, right: Scope) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .refresh: 1
        case .admin: 2
        }
    }
}

/// A caller's key: only the hash of its secret is known.
public struct APIKey: Sendable, Hashable {
    /// Who it belongs to; in logs and metrics.
    public var name: String
    /// SHA-256 of the secret, 32 bytes.
    public var sha256: [UInt8]
    /// What it may do.
    public var scopes: Set<Scope>
    /// Resources it may touch, `*` as wildcard; empty: all.
    public var resources: [String] = []

    /// A key named `name`.
    public init(name: String, sha256: [UInt8], scopes: Set<Scope>) {
        self.name = name
        self.sha256 = sha256
        self.scopes = scopes
    }

    /// Whether the key may do what needs `scope`.
    public func allows(_ scope: Scope) -> Bool { scopes.contains { $0 >= scope } }

    /// Whether the key may touch `resource`.
    public func covers(_ resource: ResourceName) -> Bool {
        resources.isEmpty || resources.contains { Wildcard.matches($0, resource.text) }
    }
}

/// `api:` of the configuration.
public struct APISettings: Sendable, Hashable {
    /// `HOST:PORT`. Default: `127.0.0.1:8080`.
    public var listen = "127.0.0.1:8080"
    /// Callers' keys; none: open, and then only loopback may be listened on.
    public var keys: [APIKey] = []
    /// Requests per second and burst of one key or address; `nil`: no limit.
    public var rateLimit: RateLimit?
    /// Whether `/metrics` needs no key. Default: no.
    public var openMetrics = false
    /// Bytes of payload copies in the process. Default: 256 MiB.
    public var memoryLimit = 256 << 20
    /// PEM files of certificate and key; `nil`: plain HTTP.
    public var tls: TLSFiles?
    /// What clients may take at most.
    public var limits = APILimits()

    /// The defaults of the configuration.
    public init() {}
}

/// PEM files for TLS.
public struct TLSFiles: Sendable, Hashable {
    /// Path of the certificate chain.
    public var certificate: String
    /// Path of the private key.
    public var key: String

    /// A certificate with its key.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// A token bucket.
public struct RateLimit: Sendable, Hashable {
    /// Tokens added per second.
    public var requestsPerSecond: Double
    /// Tokens the bucket holds.
    public var burst: Int

    /// A bucket of `burst` tokens refilled at `requestsPerSecond`.
    public init(requestsPerSecond: Double, burst: Int) {
        self.requestsPerSecond = requestsPerSecond
        self.burst = burst
    }
}

/// `worker:` of the configuration.
public struct WorkerSettings: Sendable, Hashable {
    /// Jobs at once in one process. Default: 4.
    public var concurrency = 4
    /// How long jobs may go on after SIGTERM. Default: 30 s.
    public var drainTimeout: Duration = .seconds(30)

    /// The defaults of the configuration.
    public init() {}
}

/// `refresh:` of the configuration.
public struct RefreshSettings: Sendable, Hashable {
    /// Time between two ticks of the staleness monitor. Default: 30 s.
    public var checkInterval: Duration = .seconds(30)
    /// Refreshes running at once over all workers; `nil`: no cap.
    public var maximumConcurrent: Int?
    /// Waiting keys; past it `queue_full`. Default: 1,000,000.
    public var maximumQueue = 1_000_000
    /// Keys the monitor queues in one tick. Default: 5.
    public var batchSize = 5
    /// How long an ended job can be asked for. Default: 24 h.
    public var keepJobs: Duration = .seconds(86_400)
    /// The monitor leaves a key alone that nobody read in this window; zero: refresh all.
    ///
    /// Default: 1 h.
    public var activeWindow: Duration = .seconds(3600)

    /// The defaults of the configuration.
    public init() {}
}

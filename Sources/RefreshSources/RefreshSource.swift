public import FreshetModel

/// How a payload is produced. One implementation per kind of source, and closures.
///
/// A source is run by a worker on the global executor or as a child process, never on an event loop.
/// It is told to stop by task cancellation (a lost lease, a cancelled job, a passed timeout, a
/// shutdown past its deadline) and then returns or throws soon, leaving nothing behind.
public protocol RefreshSource: Sendable {
    /// Produces the payload for `context.key`.
    ///
    /// - Throws: `SourceError`; whether a retry can mend it is part of the error.
    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome
}

/// What a source returns when it did not fail.
public enum SourceOutcome: Sendable {
    /// A new payload, unencoded. A payload declared JSON has been checked to be JSON.
    case payload(Payload)
    /// The kept payload is still right: only its freshness is renewed.
    case notModified
}

/// What a source is told about the job it runs for.
public struct SourceContext: Sendable {
    /// The key to refresh; its parameters are decoded.
    public var key: Key
    /// The job's id, for `FRESHET_JOB_ID` and logs.
    public var jobID: String
    /// From 1.
    public var attempt: Int
    /// Which part of the payload is asked for.
    public var scope: RefreshScope
    /// What is kept now; `nil` when nothing is.
    public var previous: PreviousPayload?
    /// W3C trace context of the request that asked, to be passed on; `nil` without one.
    public var traceparent: String?
    /// Tells how far the source is. Cheap; may be called thousands of times a second.
    public var report: @Sendable (Progress) -> Void

    /// A context for one attempt.
    public init(
        key: Key, jobID: String, attempt: Int = 1, scope: RefreshScope = .all,
        previous: PreviousPayload? = nil, traceparent: String? = nil,
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.key = key
        self.jobID = jobID
        self.attempt = attempt
        self.scope = scope
        self.previous = previous
        self.traceparent = traceparent
        self.report = report
    }
}

/// The payload that is kept while a new one is made.
public struct PreviousPayload: Sendable {
    /// Its metadata, the source's validators among it.
    public var metadata: PayloadMetadata
    /// Reads its bytes, unencoded; `nil` when they are gone.
    public var load: @Sendable () async -> [UInt8]?

    /// A kept payload whose bytes are read on demand.
    public init(metadata: PayloadMetadata, load: @escaping @Sendable () async -> [UInt8]?) {
        self.metadata = metadata
        self.load = load
    }
}

/// Why a source failed.
public struct SourceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people: what happened and to what. Holds no secret.
    public var message: String
    /// No retry can mend it: the job goes to the dead letters at once.
    public var isPermanent: Bool
    /// The source could not be reached at all, which opens its circuit breaker.
    public var isUnreachable: Bool

    /// A failure with a message for people.
    public init(_ message: String, isPermanent: Bool = false, isUnreachable: Bool = false) {
        self.message = message
        self.isPermanent = isPermanent
        self.isUnreachable = isUnreachable
    }

    /// The message.
    public var description: String { message }
}

/// A source made of a Swift closure.
public struct ClosureSource: RefreshSource {
    private let body: @Sendable (SourceContext) async throws -> SourceOutcome

    /// A source that runs `body`; what it throws becomes a failure that may be retried, unless it
    /// is a `SourceError`, which says for itself.
    public init(_ body: @escaping @Sendable (SourceContext) async throws -> SourceOutcome) {
        self.body = body
    }

    /// Runs the closure, checks a payload that is declared JSON and fills in its facts.
    public func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        do {
            switch try await body(context) {
            case .payload(let payload): return .payload(try payload.checked())
            case .notModified: return .notModified
            }
        } catch let error as SourceError {
            throw error
        } catch {
            throw SourceError("\(error)")
        }
    }
}

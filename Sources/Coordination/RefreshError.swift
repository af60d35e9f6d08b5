/// Why a call on the store failed, and whether it took effect.
public struct RefreshError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is; clients see it as `code` of a problem.
    public enum Code: String, Sendable, CaseIterable {
        /// Redis cannot be reached, does not answer in time, or is loading its data.
        case redisUnavailable = "redis_unavailable"
        /// Redis refuses writes: out of memory, a failed save, a replica, too few replicas.
        case redisRefusesWrites = "redis_refuses_writes"
        /// Redis refuses user or password, or the user lacks a right that the message names.
        case redisDenied = "redis_denied"
        /// Redis runs a script of someone else for too long.
        case redisBusy = "redis_busy"
        /// The job is queued, but too few replicas confirmed it.
        case notDurable = "not_durable"
        /// Redis answered what no version of Freshet would: its data were changed from outside.
        case corrupt = "corrupt_data"
    }

    /// Whether the call changed anything.
    public enum Effect: String, Sendable {
        /// Nothing was changed.
        case none
        /// All was done.
        case applied
        /// The reply was lost. Every transition is idempotent under its token: call again.
        case unknown
    }

    /// The kind of failure.
    public var code: Code
    /// For people; holds no secret.
    public var message: String
    /// Whether the call changed anything.
    public var effect: Effect

    /// A failure.
    public init(_ code: Code, _ message: String, effect: Effect) {
        self.code = code
        self.message = message
        self.effect = effect
    }

    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}

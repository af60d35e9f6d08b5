/// A child process of `freshet up`, by what it is and not by its process id: it keeps its name over
/// restarts.
struct Member: Hashable, Sendable, CustomStringConvertible {
    enum Role: String, Sendable {
        case redis
        case api
        case worker
        case scheduler
    }

    var role: Role
    /// From 1 among those of its role.
    var number: Int

    static let redis = Member(role: .redis, number: 1)
    static let scheduler = Member(role: .scheduler, number: 1)
    static func api(_ number: Int) -> Member { Member(role: .api, number: number) }
    static func worker(_ number: Int) -> Member { Member(role: .worker, number: number) }

    /// `api-1`, `worker-2`; the single ones without a number.
    var description: String {
        switch role {
        case .redis, .scheduler: role.rawValue
        case .api, .worker: "\(role.rawValue)-\(number)"
        }
    }
}

/// How a member's process ended.
enum MemberExit: Equatable, Sendable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    /// It could not be started at all.
    case notStarted(String)

    var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)"
        case .notStarted(let reason): reason
        }
    }
}

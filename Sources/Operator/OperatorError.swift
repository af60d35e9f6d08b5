package import Coordination

/// Why an operator's command did not do what it was told.
package enum OperatorError: Error, Equatable, CustomStringConvertible {
    /// Redis cannot be reached or does not take the command.
    case store(RefreshError)
    /// There is no such resource, key or job, or what was asked for failed.
    case failed(String)
    /// What was given is no key or no job id.
    case malformed(String)

    package var description: String {
        switch self {
        case .store(let error): error.message
        case .failed(let message), .malformed(let message): message
        }
    }
}

internal import Runtime
internal import Synchronization

/// Whether the store answers, as a role's calls see it; tells the log once when that changes.
///
/// A worker makes thousands of calls a second: a line for each that fails would bury what matters.
package final class StoreHealth: Sendable {
    private struct State {
        var isFailing = false
        var failures = 0
    }
    private let state = Mutex(State())
    private let role: String

    /// - Parameter role: Who calls, for the log.
    package init(role: String) { self.role = role }

    /// Whether the last call failed.
    package var isFailing: Bool { state.withLock { $0.isFailing } }

    /// A call was answered.
    package func succeeded() {
        let failures: Int? = state.withLock { state in
            guard state.isFailing else { return nil }
            defer { state = State() }
            return state.failures
        }
        if let failures { Log.info("store.back", ["role": role, "failures": failures]) }
    }

    /// A call failed; one that was cancelled with its task says nothing about the store.
    package func failed(_ error: RefreshError, during call: String) {
        guard !Task.isCancelled else { return }
        let isFirst = state.withLock { state in
            defer { state.isFailing = true }
            state.failures += 1
            return !state.isFailing
        }
        if isFirst {
            Log.warning(
                "store.failing",
                ["role": role, "call": call, "code": error.code.rawValue, "error": error.message])
        } else {
            Log.debug(
                "store.failing",
                ["role": role, "call": call, "code": error.code.rawValue, "error": error.message])
        }
    }
}

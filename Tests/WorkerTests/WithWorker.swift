import Coordination
import DutySupport
import FreshetModel
import RefreshSources
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// Runs a worker around `body`, then shuts it down and waits for its end.
///
/// - Parameter source: Of every resource.
func withWorker(
    _ settings: Settings, _ store: HookedStore, id: String = "w1", pace: Pace? = nil,
    source: @escaping @Sendable (SourceContext) async throws -> SourceOutcome,
    _ body: (ShutdownTrigger) async throws -> Void
) async throws {
    let worker = try WorkerService(
        settings: settings, store: store, id: id, version: "test", pace: pace
    ) { _ in ClosureSource(source) }
    let trigger = ShutdownTrigger()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            try await ShutdownTrigger.$current.withValue(trigger) { try await worker.run() }
        }
        do {
            try await body(trigger)
        } catch {
            group.cancelAll()
            throw error
        }
        trigger.trigger()
        try await group.waitForAll()
    }
}

extension HookedStore {
    /// Asks for a refresh and returns the job.
    @discardableResult
    func ask(
        _ key: String, change: (inout RefreshRequest) -> Void = { _ in }
    ) async throws -> JobID {
        var request = RefreshRequest(key: Fixtures.key(key))
        change(&request)
        guard case .accepted(let receipt) = try await base.request(request) else {
            throw NotAccepted()
        }
        return receipt.job.id
    }

    func status(_ key: String) async throws -> KeyStatus {
        try #require(try await base.statuses([Fixtures.key(key)]).first)
    }

    /// The job once it is in one of `states`.
    func job(_ id: JobID, in states: JobState...) async throws -> Job {
        try await eventualValue("\(id) \(states)") {
            let job = try await base.job(id)
            return job.flatMap { states.contains($0.state) ? $0 : nil }
        }
    }

    struct NotAccepted: Error {}
}

/// A count that sources and tests share.
final class Tally: Sendable {
    private let state = Mutex((now: 0, most: 0, total: 0))

    func enter() {
        state.withLock { state in
            state.now += 1
            state.total += 1
            state.most = max(state.most, state.now)
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }

    var now: Int { state.withLock { $0.now } }
    var most: Int { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }
}

/// Suspends until its task is cancelled, then throws.
func untilCancelled() async throws -> SourceOutcome {
    let nudge = Nudge()
    await nudge.wait()
    throw CancellationError()
}

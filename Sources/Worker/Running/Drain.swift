internal import Coordination
internal import Synchronization

/// How far the end of a worker is: nothing of it yet, no new jobs, or give everything back.
final class Drain: Sendable {
    private enum Phase: Int { case working, draining, over }

    private let phase = Mutex(Phase.working)
    /// Given when no new job is to be begun: ends the claim loop's waits.
    let claimNudge = Nudge()

    /// No new job is begun.
    var isDraining: Bool { phase.withLock { $0 != .working } }

    /// Nobody waits for the store or a source any more.
    var isOver: Bool { phase.withLock { $0 == .over } }

    func begin() {
        phase.withLock { if $0 == .working { $0 = .draining } }
        claimNudge.give()
    }

    func end() {
        phase.withLock { $0 = .over }
        claimNudge.give()
    }
}

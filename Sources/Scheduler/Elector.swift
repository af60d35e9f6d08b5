internal import Coordination
internal import Runtime
internal import Synchronization

/// The duty that makes one of all schedulers the leader, and another one when it is gone.
///
/// The lead is a lease of the store, renewed every second. It ends here no later than there, because
/// it is counted from before the call that renewed it.
final class Elector: Sendable {
    /// A killed leader is replaced within 10 s: its lease, and the second until somebody asks.
    static let lease = Duration.seconds(8)
    static let interval = Duration.seconds(1)

    private let id: String
    private let store: any RefreshStore
    private let pace: Pace
    private let health: StoreHealth
    private let leadEnd = Mutex<Duration?>(nil)
    /// Woken when this scheduler becomes leader: its duties begin at once, not with their next tick.
    private let onElection: [Nudge]

    init(
        id: String, store: any RefreshStore, pace: Pace, health: StoreHealth, onElection: [Nudge]
    ) {
        self.onElection = onElection
        self.id = id
        self.store = store
        self.pace = pace
        self.health = health
    }

    /// Whether this scheduler leads now.
    var leads: Bool {
        let now = pace.now()
        return leadEnd.withLock { $0.map { now < $0 } ?? false }
    }

    /// Stands for election until cancelled.
    func run() async {
        while !Task.isCancelled {
            let sentAt = pace.now()
            do throws(RefreshError) {
                note(try await store.lead(id, lease: Self.lease) ? sentAt + Self.lease : nil)
                health.succeeded()
            } catch {
                // The lead held so far is good until its end.
                health.failed(error, during: "lead")
            }
            await pace.sleep(about: Self.interval, share: 0.1)
        }
    }

    /// Gives up the lead, so that the next leader need not wait for its end.
    func resign() async {
        guard leads else { return }
        note(nil)
        do throws(RefreshError) {
            try await store.resign(id)
        } catch {
            health.failed(error, during: "resign")
        }
    }

    private func note(_ end: Duration?) {
        let led = leads
        leadEnd.withLock { $0 = end }
        guard led != (end != nil) else { return }
        Log.info(led ? "scheduler.follows" : "scheduler.leads", ["scheduler": id])
        if !led { for nudge in onElection { nudge.give() } }
    }
}

internal import Coordination

/// The duty that tells all others of this worker: estimates divide by the live capacity.
struct Announcer: Sendable {
    static let interval = Duration.seconds(3)
    /// A worker that died counts for so long.
    static let timeout = Duration.seconds(10)

    let id: String
    let version: String
    let store: any RefreshStore
    let slots: Slots
    let pace: Pace
    let health: StoreHealth

    /// Announces until cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(RefreshError) {
                try await store.announce(
                    WorkerPresence(
                        id: id, capacity: slots.capacity, running: slots.taken, version: version),
                    timeout: Self.timeout)
                health.succeeded()
            } catch {
                health.failed(error, during: "announce")
            }
            await pace.sleep(about: Self.interval, share: 0.1)
        }
    }

    /// Tells that the worker ends. Without an answer it is forgotten after `timeout` anyway.
    func withdraw() async {
        do throws(RefreshError) {
            try await store.withdraw(worker: id)
        } catch {
            health.failed(error, during: "withdraw")
        }
    }
}

internal import Coordination

/// The duty that tells all others of this worker: estimates divide by the live capacity.
struct Announcer: Sendable {
    static let interval = Duration.seconds(3)
    /// How soon others learn that more or fewer jobs run.
    static let changeInterval = Duration.milliseconds(500)
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
        var told: (running: Int, at: Duration)?
        while !Task.isCancelled {
            let running = slots.taken
            let now = pace.now()
            if told.map({ $0.running != running || now - $0.at >= Self.interval }) ?? true {
                do throws(RefreshError) {
                    try await store.announce(
                        WorkerPresence(
                            id: id, capacity: slots.capacity, running: running, version: version),
                        timeout: Self.timeout)
                    told = (running, now)
                    health.succeeded()
                } catch {
                    health.failed(error, during: "announce")
                }
            }
            await pace.sleep(about: Self.changeInterval, share: 0.1)
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

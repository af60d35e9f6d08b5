internal import FoundationEssentials
public import FreshetModel
internal import Synchronization

/// `RefreshStore` in the memory of one process: the executable specification, and a store for tests
/// and for programs that embed Freshet without Redis.
///
/// The rules are in `MemoryState`, one value per partition without clock or lock. This shell adds
/// what a value cannot have: a lock around each transition, the clock, random nonces, and the
/// delivery of what a transition tells others. Views take a copy under the lock, which costs
/// nothing, and compute outside it.
public final class MemoryRefreshStore: RefreshStore {
    private struct Shared {
        var states: [MemoryState]
        var feeds: [Int: FeedOutlet] = [:]
        var cancellations: [Int: AsyncStream<String>.Continuation] = [:]
        var nextFeed = 0
        var wakeUps = WakeUps()
    }

    /// The number of partitions.
    public let partitions: Int
    private let clock: @Sendable () -> Timestamp
    private let nonce: @Sendable () -> String
    private let shared: Mutex<Shared>

    /// A store on the clock of the machine.
    ///
    /// - Parameter partitions: One unless a test wants several, as a Cluster has.
    public convenience init(partitions: Int = 1) {
        self.init(partitions: partitions, clock: Self.systemClock)
    }

    /// A store with a clock of the caller's, such as one that a test moves by hand.
    ///
    /// - Parameter clock: Asked once per transition.
    public convenience init(partitions: Int = 1, clock: @escaping @Sendable () -> Timestamp) {
        self.init(partitions: partitions, clock: clock, nonce: Nonce.random)
    }

    /// - Parameter nonce: A text that differs each time.
    package init(
        partitions: Int, clock: @escaping @Sendable () -> Timestamp,
        nonce: @escaping @Sendable () -> String
    ) {
        precondition(partitions > 0, "a store has at least one partition")
        self.partitions = partitions
        self.clock = clock
        self.nonce = nonce
        shared = Mutex(
            Shared(states: (0..<partitions).map { MemoryState(partition: $0, of: partitions) }))
    }

    private static func systemClock() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    // MARK: the lock

    /// Runs one transition of a partition and tells others what it changed.
    func change<Result: Sendable>(
        partition: Int, _ body: (inout MemoryState, Timestamp) -> Result
    ) -> Result {
        let (result, sleeper) = shared.withLock { shared in
            let result = body(&shared.states[partition], clock())
            let outbox = shared.states[partition].outbox
            shared.states[partition].outbox = MemoryState.Outbox()
            for events in outbox.entries {
                for id in shared.feeds.keys { shared.feeds[id]?.deliver(events, of: partition) }
            }
            for nonce in outbox.cancelled {
                for continuation in shared.cancellations.values { continuation.yield(nonce) }
            }
            let sleeper = outbox.wakes ? shared.wakeUps.wake(partition: partition) : nil
            return (result, sleeper)
        }
        sleeper?.resume()
        return result
    }

    /// Runs one transition of the partition of `key`.
    func change<Result: Sendable>(
        _ key: Key, _ body: (inout MemoryState, Timestamp) -> Result
    ) -> Result {
        change(partition: key.partition(of: partitions), body)
    }

    /// A copy of everything, and when it was taken.
    func snapshot() -> (states: [MemoryState], now: Timestamp) {
        shared.withLock { ($0.states, clock()) }
    }

    func freshNonce() -> String { nonce() }

    // MARK: waiting and feeds

    /// See `RefreshStore.waitForWork`. The timeout runs on the machine's clock.
    public func waitForWork(timeout: Duration) async throws(RefreshError) {
        let id = shared.withLock { $0.wakeUps.register() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sleep(id) }
            group.addTask {
                // Cancelled as soon as the sleeper is awake; then there is nothing to end.
                guard (try? await Task.sleep(for: max(.zero, timeout))) != nil else { return }
                self.endSleep(id)
            }
            await group.next()
            group.cancelAll()
        }
        shared.withLock { $0.wakeUps.forget(id) }
    }

    private func sleep(_ id: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let sleeps = shared.withLock { $0.wakeUps.sleep(id, continuation) }
                if !sleeps { continuation.resume() }
            }
        } onCancel: {
            endSleep(id)
        }
    }

    private func endSleep(_ id: Int) {
        shared.withLock { $0.wakeUps.end(id) }?.resume()
    }

    /// See `RefreshStore.feed`.
    public func feed() -> AsyncStream<FeedItem> {
        let (stream, outlet) = FeedOutlet.make(
            partitions: partitions, suspect: 0..<partitions)
        let id = shared.withLock { shared in
            shared.nextFeed += 1
            shared.feeds[shared.nextFeed] = outlet
            return shared.nextFeed
        }
        outlet.onTermination { [weak self] in
            self?.shared.withLock { _ = $0.feeds.removeValue(forKey: id) }
        }
        return stream
    }

    /// See `RefreshStore.cancellations`.
    public func cancellations() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Limits.events))
        let id = shared.withLock { shared in
            shared.nextFeed += 1
            shared.cancellations[shared.nextFeed] = continuation
            return shared.nextFeed
        }
        continuation.onTermination = { [weak self] _ in
            self?.shared.withLock { _ = $0.cancellations.removeValue(forKey: id) }
        }
        return stream
    }
}

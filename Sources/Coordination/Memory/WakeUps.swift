/// Who waits for work, and the wake-ups nobody waited for yet: at most one per partition, as a
/// second would wake a worker for nothing.
struct WakeUps: Sendable {
    private var pending: Set<Int> = []
    private var sleepers: [(id: Int, continuation: CheckedContinuation<Void, Never>)] = []
    /// Sleepers that were to end before they slept.
    private var ended: Set<Int> = []
    private var nextID = 0

    /// A name for a worker about to sleep.
    mutating func register() -> Int {
        nextID += 1
        return nextID
    }

    /// Puts the sleeper `id` in the row; `false` when it need not sleep.
    mutating func sleep(_ id: Int, _ continuation: CheckedContinuation<Void, Never>) -> Bool {
        if ended.remove(id) != nil { return false }
        if pending.popFirst() != nil { return false }
        sleepers.append((id, continuation))
        return true
    }

    /// One worker has something to look for; who is to be resumed.
    mutating func wake(partition: Int) -> CheckedContinuation<Void, Never>? {
        guard !sleepers.isEmpty else {
            pending.insert(partition)
            return nil
        }
        return sleepers.removeFirst().continuation
    }

    /// Ends a sleep by timeout or cancellation; who is to be resumed.
    mutating func end(_ id: Int) -> CheckedContinuation<Void, Never>? {
        guard let index = sleepers.firstIndex(where: { $0.id == id }) else {
            ended.insert(id)
            return nil
        }
        return sleepers.remove(at: index).continuation
    }

    /// Forgets `id` once it is awake.
    mutating func forget(_ id: Int) { ended.remove(id) }
}

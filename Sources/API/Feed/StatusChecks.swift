internal import Coordination
internal import FreshetModel
internal import Runtime

/// Reads the states of the keys this process has to do with, in batches, where events are lost.
final class StatusChecks {
    private static let batch = 100

    private let store: any RefreshStore
    private let table: KeyTable
    private let time: StoreTime
    private let updates: KeyUpdates

    init(store: any RefreshStore, table: KeyTable, time: StoreTime, updates: KeyUpdates) {
        self.store = store
        self.table = table
        self.time = time
        self.updates = updates
    }

    /// Checks all keys of `partition`; `nil`: of all. What fails is left to the next check.
    func checkAll(of partition: Int? = nil) async {
        let keys = table.all.filter(\.isNeeded).map(\.key).filter {
            partition == nil || $0.partition(of: store.partitions) == partition
        }
        var start = 0
        while start < keys.count {
            let end = min(start + Self.batch, keys.count)
            do {
                try await check(Array(keys[start..<end]))
            } catch {
                for key in keys[start...] { table.find(key)?.isBehind = true }
                return
            }
            start = end
        }
    }

    /// Checks `keys` and returns their states.
    @discardableResult
    func check(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus] {
        let sent = EventLoop.monotonicNanoseconds()
        let statuses = try await store.statuses(keys)
        if let now = statuses.first?.now { time.observe(now, sent: sent) }
        for status in statuses { updates.apply(status) }
        return statuses
    }

    /// Tries again with the copies that are known to be behind.
    func checkBehind() async {
        let keys = table.all.filter(\.isBehind).prefix(Self.batch).map(\.key)
        guard !keys.isEmpty else { return }
        for key in keys { table.find(key)?.isBehind = false }
        do {
            try await check(keys)
        } catch {
            for key in keys { table.find(key)?.isBehind = true }
        }
    }
}

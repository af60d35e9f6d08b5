internal import Coordination
internal import FreshetModel

/// A slot under `max_concurrent` that this worker has.
struct HeldSlot: Sendable {
    let slot: Slot
    /// When it is another's to take, at the earliest. Counted from before the call that took or
    /// renewed it, so never later here than in the store.
    var until: Duration
}

/// Takes slots for what the claim loop is about to claim, where a cap counts over partitions.
struct SlotTaker {
    let store: any RefreshStore
    let cap: SharedCap
    let pace: Pace
    /// Asked for, and the answer was lost: asked for again first, so that they do not stay taken
    /// until their leases end.
    private var unsure: [Slot] = []
    private var count = 0
    private let name: String

    init(store: any RefreshStore, cap: SharedCap, pace: Pace, worker: String) {
        self.store = store
        self.cap = cap
        self.pace = pace
        name = worker
    }

    /// Takes up to `wanted` slots.
    mutating func take(_ wanted: Int) async throws(RefreshError) -> [HeldSlot] {
        let wanted = min(wanted, cap.maximum)
        while unsure.count < wanted {
            count += 1
            unsure.append(Slot(lease: cap.slotLease, name: "\(name)-\(count)"))
        }
        let until = pace.now() + cap.slotLease
        let asked = unsure
        let answers = try await store.takeSlots(asked, maximum: cap.maximum)
        unsure = []
        return zip(asked, answers).filter(\.1).map { HeldSlot(slot: $0.0, until: until) }
    }
}

/// `refresh.max_concurrent` where there are several partitions.
struct SharedCap: Sendable {
    /// Jobs that may run at once, over all workers and partitions.
    let maximum: Int
    /// How long a slot outlives its worker: no longer than any job's lease does.
    let slotLease: Duration

    /// `nil`: there is no cap, or the one partition counts for itself.
    init?(_ settings: Settings, partitions: Int) {
        guard partitions > 1, let maximum = settings.refresh.maximumConcurrent else { return nil }
        self.maximum = maximum
        slotLease = settings.resources.values.map(\.lease).reduce(.seconds(10), min)
    }
}

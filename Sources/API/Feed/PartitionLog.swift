internal import FreshetModel

/// The order of one partition's events in this process: what was delivered, and what waits while a
/// gap is filled from the store's log.
///
///     live ──suspect──► filling ──filled──► live
///      │ deliver         │ keep back         │ deliver what was kept back and is new
struct PartitionLog {
    /// More than the store's log holds: what was kept back so long cannot be made whole any more.
    private static let keptBackAtMost = Limits.events

    /// The latest event delivered; `nil` before the first.
    private(set) var position: EventID?
    private(set) var isFilling = false
    private var keptBack: [RefreshEvent] = []
    private var hasOverflowed = false

    /// Takes events of the feed and returns those to deliver now.
    mutating func receive(_ events: [RefreshEvent]) -> [RefreshEvent] {
        guard isFilling else { return deliver(events) }
        if keptBack.count + events.count > Self.keptBackAtMost {
            hasOverflowed = true
            keptBack.removeAll()
        } else if !hasOverflowed {
            keptBack += events
        }
        return []
    }

    /// Begins to fill a gap.
    /// - Returns: `false` when one is being filled already.
    mutating func beginFilling() -> Bool {
        guard !isFilling else { return false }
        isFilling = true
        hasOverflowed = false
        return true
    }

    /// Ends the filling: `missed` were read from the store's log, or the log is at `position` and
    /// what was missed is lost.
    ///
    /// - Returns: The events to deliver, and whether states must be read because some are lost.
    mutating func fill(
        missed: [RefreshEvent]?, position: EventID?
    ) -> (events: [RefreshEvent], isLossy: Bool) {
        isFilling = false
        let isLossy = missed == nil || hasOverflowed
        let events = deliver((missed ?? []) + keptBack)
        keptBack.removeAll()
        // Where events are lost, the log may have begun anew: its position counts, not the old one.
        if missed == nil, let position, events.isEmpty || position > (self.position ?? position) {
            self.position = position
        }
        return (events, isLossy)
    }

    /// Whether the store's log is at a later entry than was delivered.
    func isBehind(_ latest: EventID) -> Bool {
        guard let position else { return latest.sequence > 0 }
        return (latest.epoch, latest.sequence) > (position.epoch, position.sequence)
    }

    private mutating func deliver(_ events: [RefreshEvent]) -> [RefreshEvent] {
        var fresh: [RefreshEvent] = []
        for event in events {
            if let position, event.id <= position, event.id.epoch == position.epoch { continue }
            position = event.id
            fresh.append(event)
        }
        return fresh
    }
}

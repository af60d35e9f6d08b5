internal import Coordination
internal import FreshetModel

/// Reads the store's log of events page by page.
struct EventLog {
    private static let page = 1000

    let store: any RefreshStore

    /// The events after `id` that `isWanted` accepts; `nil` when some are gone already.
    func events(
        after id: EventID, where isWanted: (RefreshEvent) -> Bool = { _ in true }
    ) async throws(RefreshError) -> [RefreshEvent]? {
        var position = id
        var wanted: [RefreshEvent] = []
        // The log is bounded; more pages than it has only come when it grows as fast as it is read.
        for _ in 0...(Limits.events / Self.page) {
            guard let events = try await store.events(after: position, limit: Self.page) else {
                return nil
            }
            wanted += events.filter(isWanted)
            guard events.count >= Self.page, let last = events.last?.id else { break }
            position = last
        }
        return wanted
    }
}

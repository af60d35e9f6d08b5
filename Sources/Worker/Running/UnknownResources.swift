internal import FreshetModel
internal import Runtime
internal import Synchronization

/// Resources that jobs name and this worker does not have; warns of each once a minute, not once a
/// job, since all their keys come by again and again.
final class UnknownResources: Sendable {
    static let interval = Duration.seconds(60)

    private let warned = Mutex<[ResourceName: Duration]>([:])

    func met(_ name: ResourceName, at now: Duration) {
        let isDue = warned.withLock { warned in
            if let last = warned[name], now - last < Self.interval { return false }
            // Names come from outside: what is remembered of them is bounded.
            if warned.count >= 1000 { warned.removeAll() }
            warned[name] = now
            return true
        }
        guard isDue else { return }
        Log.warning(
            "resource.unknown",
            ["resource": name, "hint": "not in this worker's configuration; jobs are handed back"])
    }
}

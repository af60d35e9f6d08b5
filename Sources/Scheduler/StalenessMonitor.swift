internal import Coordination
internal import FreshetModel
internal import Runtime

/// The duty that queues refreshes of stale keys that are being read, a few per tick.
struct StalenessMonitor: Sendable {
    /// A resource that is not configured may be after the next deployment.
    static let unknownPause = Duration.seconds(600)
    /// Looks in one tick, of a hundred keys a partition and about a millisecond of Redis each.
    static let maximumLooks = 100
    /// Until the next tick when those did not get past the keys that nobody reads.
    static let backlogPause = Duration.seconds(1)

    let settings: Settings
    let store: any RefreshStore
    let elector: Elector
    let pace: Pace
    let health: StoreHealth
    let elected: Nudge

    /// Ticks every `check_interval` while this scheduler leads, until cancelled.
    func run() async {
        var aside = SetAside()
        var pause = settings.refresh.checkInterval
        while !Task.isCancelled {
            await pace.wait(for: elected, atMost: pause)
            pause = settings.refresh.checkInterval
            guard !Task.isCancelled, elector.leads else { continue }
            do throws(RefreshError) {
                if try await tick(&aside) == .unfinished { pause = min(pause, Self.backlogPause) }
                health.succeeded()
            } catch {
                health.failed(error, during: "staleness check")
            }
        }
    }

    /// A dead key is left alone for its resource's first retry interval.
    private func coolDown(_ resource: Resource) -> Duration { resource.retry.interval }

    enum TickEnd {
        case finished
        /// Keys that nobody reads stood before all others, and there are more of them.
        case unfinished
    }

    /// What a tick has seen and done so far.
    private struct Tally {
        var looked = 0
        var stale: [Key] = []
        var refreshed: [Key] = []
    }

    /// Looks at the oldest stale keys until a batch of them is queued or none is left.
    ///
    /// One look sees a hundred keys and takes those that nobody reads out of the way. Were there
    /// only one a tick, a flood of keys that were read once would hide the others for days.
    @discardableResult
    func tick(_ aside: inout SetAside) async throws(RefreshError) -> TickEnd {
        aside.expire(at: pace.now())
        var tally = Tally()
        var end = TickEnd.unfinished
        for _ in 0..<Self.maximumLooks where end == .unfinished && !Task.isCancelled {
            end = try await look(&aside, &tally)
        }
        if Log.isEnabled(.debug) { try await log(tally) }
        return end
    }

    private func look(
        _ aside: inout SetAside, _ tally: inout Tally
    ) async throws(RefreshError) -> TickEnd {
        let room = settings.refresh.batchSize - tally.refreshed.count
        let limit = room + aside.count
        let found = try await store.staleKeys(
            limit: limit, activeWindow: settings.refresh.activeWindow,
            coolDown: settings.resources.values.map(coolDown).min() ?? .zero)
        tally.looked += found.looked
        // Those set aside come with each look.
        tally.stale += found.keys.map(\.key).filter {
            tally.stale.isEmpty || !aside.contains($0)
        }
        let candidates = found.keys.filter { !aside.contains($0.key) }
        let requests = requests(for: candidates, &aside).prefix(room)
        let outcomes = try await store.requestMany(Array(requests))
        let before = tally.refreshed.count
        var isFull = false
        for (request, outcome) in zip(requests, outcomes) {
            switch outcome {
            case .accepted: tally.refreshed.append(request.key)
            case .coolingDown: aside.add(request.key, until: pace.now() + request.coolDown)
            case .notNeeded: break
            case .queueFull(let waiting):
                isFull = true
                Log.warning("monitor.queue_full", ["key": request.key, "waiting": waiting])
            }
        }
        let isOver =
            isFull || tally.refreshed.count >= settings.refresh.batchSize
            || found.keys.count >= limit
        // A look that moved nothing would see the same keys again.
        let moved = found.looked > found.keys.count || tally.refreshed.count > before
        return isOver || found.looked < Limits.scriptMembers || !moved ? .finished : .unfinished
    }

    private func requests(
        for candidates: [(key: Key, version: Int64)], _ aside: inout SetAside
    ) -> [RefreshRequest] {
        var requests: [RefreshRequest] = []
        for candidate in candidates {
            guard let resource = settings.resources[candidate.key.resource] else {
                aside.add(candidate.key, until: pace.now() + Self.unknownPause)
                continue
            }
            var request = RefreshRequest(
                key: candidate.key, origin: .monitor, priority: resource.priority)
            request.seenVersion = candidate.version
            request.coolDown = coolDown(resource)
            request.maximumQueue = settings.refresh.maximumQueue
            requests.append(request)
        }
        return requests
    }

    private func log(_ tally: Tally) async throws(RefreshError) {
        Log.debug(
            "monitor.checked",
            [
                "looked_at": tally.looked, "stale": tally.stale.count,
                "refreshed": tally.refreshed.count,
            ])
        let refreshed = Set(tally.refreshed)
        for status in try await store.statuses(tally.stale) {
            let limit = settings.resources[status.key.resource]?.freshness.freshFor
            Log.debug(
                "monitor.stale",
                [
                    "key": status.key, "version": status.version,
                    "age_seconds": status.payload.map { (status.now - $0.refreshedAt).inSeconds },
                    "limit_seconds": limit?.seconds,
                    "refreshed": refreshed.contains(status.key),
                ])
        }
    }
}

extension FreshFor {
    /// The age at which a payload goes stale; `nil` for never.
    fileprivate var seconds: Double? {
        switch self {
        case .duration(let duration): duration.inSeconds
        case .always: 0
        case .never: nil
        }
    }
}

internal import Coordination
internal import FreshetModel
internal import Runtime

/// The duty that queues refreshes of stale keys that are being read, a few per tick.
struct StalenessMonitor: Sendable {
    /// A resource that is not configured may be after the next deployment.
    static let unknownPause = Duration.seconds(600)

    let settings: Settings
    let store: any RefreshStore
    let elector: Elector
    let pace: Pace
    let health: StoreHealth
    let elected: Nudge

    /// Ticks every `check_interval` while this scheduler leads, until cancelled.
    func run() async {
        var aside = SetAside()
        while !Task.isCancelled {
            await pace.wait(for: elected, atMost: settings.refresh.checkInterval)
            guard !Task.isCancelled, elector.leads else { continue }
            do throws(RefreshError) {
                try await tick(&aside)
                health.succeeded()
            } catch {
                health.failed(error, during: "staleness check")
            }
        }
    }

    /// A dead key is left alone for its resource's first retry interval.
    private func coolDown(_ resource: Resource) -> Duration { resource.retry.interval }

    func tick(_ aside: inout SetAside) async throws(RefreshError) {
        aside.expire(at: pace.now())
        let batch = settings.refresh.batchSize
        let found = try await store.staleKeys(
            limit: batch + aside.count, activeWindow: settings.refresh.activeWindow,
            coolDown: settings.resources.values.map(coolDown).min() ?? .zero)
        let candidates = found.keys.filter { !aside.contains($0.key) }
        let requests = requests(for: candidates, &aside).prefix(batch)
        let outcomes = try await store.requestMany(Array(requests))
        var refreshed: [Key] = []
        for (request, outcome) in zip(requests, outcomes) {
            switch outcome {
            case .accepted: refreshed.append(request.key)
            case .coolingDown: aside.add(request.key, until: pace.now() + request.coolDown)
            case .notNeeded: break
            case .queueFull(let waiting):
                Log.warning("monitor.queue_full", ["key": request.key, "waiting": waiting])
            }
        }
        if Log.isEnabled(.debug) {
            try await log(looked: found.looked, stale: found.keys.map(\.key), refreshed: refreshed)
        }
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

    private func log(looked: Int, stale: [Key], refreshed: [Key]) async throws(RefreshError) {
        Log.debug(
            "monitor.checked",
            ["looked_at": looked, "stale": stale.count, "refreshed": refreshed.count])
        for status in try await store.statuses(stale) {
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

package import Codecs
package import FreshetModel

/// What belongs to an event but is not in the log: estimates, told by whoever sends it.
package struct EventEstimates {
    /// `queued`: 1 for the next to be claimed.
    package var position: Int?
    /// `queued`, `progress`: time until the job ends.
    package var remaining: Duration?

    package init(position: Int? = nil, remaining: Duration? = nil) {
        self.position = position
        self.remaining = remaining
    }
}

extension JSONText {
    /// The members of an event, the same in all streams.
    package mutating func members(
        of event: RefreshEvent, _ estimates: EventEstimates = EventEstimates()
    ) {
        member("type", event.kind.rawValue)
        member("key", event.key.text)
        member("job_id", event.jobID?.text)
        member("version", event.version)
        member("at", event.at)
        switch event.kind {
        case .queued:
            member("position", estimates.position ?? event.position)
            member("eta_seconds", estimates.remaining)
            if let runAt = event.runAt { member("run_at", runAt) }
        case .running:
            member("attempt", event.attempt)
        case .progress:
            if let progress = event.progress {
                members(of: progress, remaining: estimates.remaining)
            }
        case .retrying:
            member("error", event.error)
            member("attempt", event.attempt)
            member("run_at", event.runAt)
        case .updated:
            member("renewal", event.isRenewal)
        case .failed:
            member("error", event.error)
        case .cancelled, .expired, .purged:
            break
        }
    }
}

internal import FreshetModel

/// Estimates how long running jobs still need, from when they began and how far they are.
struct RemainingTime {
    /// Jobs remembered; more than run at once anywhere.
    private static let jobsAtMost = 10_000

    private var startedAt: [JobID: Timestamp] = [:]

    /// Learns from an event and returns what it says about the time its job needs.
    mutating func take(_ event: RefreshEvent) -> Duration? {
        guard let job = event.jobID else { return nil }
        switch event.kind {
        case .running:
            if startedAt.count >= Self.jobsAtMost { startedAt.removeAll() }
            startedAt[job] = event.at
            return nil
        case .progress:
            guard let progress = event.progress, let start = startedAt[job] else { return nil }
            return Self.estimate(progress, elapsed: event.at - start)
        case .queued, .retrying, .updated, .failed, .cancelled:
            startedAt.removeValue(forKey: job)
            return nil
        case .expired, .purged: return nil
        }
    }

    /// Time left when `progress` took `elapsed`, at the pace so far.
    static func estimate(_ progress: Progress, elapsed: Duration) -> Duration? {
        guard let total = progress.total, progress.done > 0, total > 0 else { return nil }
        let share = min(1, progress.done / total)
        return .milliseconds(Int64(elapsed.inSeconds * 1000 * (1 - share) / share))
    }
}

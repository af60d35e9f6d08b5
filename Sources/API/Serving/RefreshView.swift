internal import FreshetModel

/// What this process knows of a key's refresh, from statuses and events in the order of the store's
/// clock.
struct RefreshView {
    /// The state of the refresh.
    private(set) var state: RefreshState = .idle
    /// The job under way, or the dead one while `state` is `failed`.
    private(set) var job: Job?
    /// The store's time of what is known.
    private(set) var at = Timestamp(milliseconds: 0)

    /// What is older than this by the store's clock is no late arrival: the clock was set back.
    private static let latest = Duration.seconds(5)

    private func isLate(_ time: Timestamp) -> Bool { time < at && time + Self.latest > at }

    /// Takes a status, unless something later is known already.
    /// - Returns: Whether anything shown has changed.
    mutating func apply(_ status: KeyStatus) -> Bool {
        guard !isLate(status.now) else { return false }
        at = status.now
        let isSame = state == status.state && job == status.job
        state = status.state
        job = status.job
        return !isSame
    }

    /// Takes an event, unless something later is known already.
    /// - Returns: Whether anything shown has changed.
    mutating func apply(_ event: RefreshEvent) -> Bool {
        guard !isLate(event.at) else { return false }
        at = event.at
        switch event.kind {
        case .queued:
            // A rerun is queued beside the running job; that one is what is under way.
            if state == .running, let job, job.id != event.jobID { return false }
            // A retrying job whose time or class has changed.
            if state == .retrying, let runAt = event.runAt, isAbout(event) {
                job?.runAt = runAt
                return true
            }
            begin(event, .queued, .queued)
            job?.runAt = event.runAt
            job?.position = event.position
            job?.ahead = event.position.map { $0 - 1 }
        case .running:
            begin(event, .running, .running)
            if let attempt = event.attempt { job?.attempt = attempt }
            job?.startedAt = event.at
            job?.position = 0
            job?.ahead = 0
            job?.runAt = nil
        case .progress:
            guard isAbout(event) else { return false }
            job?.progress = event.progress
        case .retrying:
            begin(event, .retrying, .retrying)
            job?.error = event.error
            if let attempt = event.attempt { job?.attempt = attempt }
            job?.runAt = event.runAt
            job?.progress = nil
        case .updated, .cancelled:
            guard isAbout(event) else { return false }
            end(.idle)
        case .failed:
            guard isAbout(event) else { return false }
            begin(event, .failed, .dead)
            job?.error = event.error
            job?.finishedAt = event.at
            job?.queueDepth = 0
        case .purged:
            end(.idle)
        case .expired:
            return false
        }
        return true
    }

    /// Takes the job of an accepted asking.
    mutating func apply(_ job: Job) {
        // An answer may come after events of the same job, which tell more.
        guard !job.isRerun, !state.isUnderWay || (state == .queued && self.job?.id == job.id)
        else { return }
        switch job.state {
        case .queued: state = .queued
        case .running: state = .running
        case .retrying: state = .retrying
        case .succeeded, .cancelled, .dead: return
        }
        self.job = job
    }

    private func isAbout(_ event: RefreshEvent) -> Bool {
        guard let job, state.isUnderWay, let about = event.jobID else { return true }
        return job.id == about
    }

    private mutating func begin(
        _ event: RefreshEvent, _ state: RefreshState, _ jobState: JobState
    ) {
        self.state = state
        guard let id = event.jobID else { return }
        if job?.id != id { job = Job(id: id, state: jobState) }
        job?.state = jobState
        job?.position = nil
        job?.ahead = nil
        job?.estimatedRemaining = nil
    }

    private mutating func end(_ state: RefreshState) {
        self.state = state
        job = nil
    }
}

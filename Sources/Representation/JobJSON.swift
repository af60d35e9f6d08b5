package import Codecs
package import Coordination
package import FreshetModel

extension JSONText {
    /// The members of a job, as `GET /v1/jobs/{id}` shows it.
    ///
    /// - Parameters:
    ///   - maximumAttempts: Of its resource; `nil` when that is not configured any more.
    package mutating func members(of job: Job, maximumAttempts: Int?) {
        member("id", job.id.text)
        member("key", job.id.key.text)
        member("state", job.state.rawValue)
        member("position", job.position)
        member("ahead", job.ahead)
        member("queue_depth", job.queueDepth)
        if let partition = job.partition { member("partition", partition) }
        member("eta_seconds", job.estimatedRemaining)
        member(progress: job.progress, remaining: job.estimatedRemaining)
        member("attempt", job.attempt)
        member("max_attempts", maximumAttempts)
        member("error", job.error)
        member("created_at", job.id.createdAt)
        member("started_at", job.startedAt)
        member("finished_at", job.finishedAt)
        member("run_at", job.runAt)
        member("duration_seconds", job.duration)
        member("version", job.version)
        member("worker", job.worker)
        member("priority", job.priority.name)
        member("rerun", job.isRerun)
    }

    /// `progress`, an object or null.
    package mutating func member(progress: Progress?, remaining: Duration?) {
        guard let progress else { return null("progress") }
        member("progress") { $0.members(of: progress, remaining: remaining) }
    }

    /// The members of a progress.
    package mutating func members(of progress: Progress, remaining: Duration?) {
        member("done", progress.done)
        member("total", progress.total)
        member("percent", progress.percent.map { ($0 * 100).rounded() / 100 })
        member("message", progress.message)
        member("eta_seconds", remaining)
    }

    /// A job beside a payload or in a problem: also with `job_id`, as in an answer to an asking.
    package mutating func member(_ name: String, nested job: Job?, maximumAttempts: Int?) {
        guard let job else { return null(name) }
        member(name) {
            $0.member("job_id", job.id.text)
            $0.members(of: job, maximumAttempts: maximumAttempts)
        }
    }

    /// The members of an accepted refresh, contract section 4.2.
    package mutating func members(of receipt: RefreshReceipt, durability: Durability?) {
        let job = receipt.job
        member("status", receipt.status.rawValue)
        member("message", Self.message(receipt))
        member("is_running", true)
        member("job_id", job.id.text)
        member("key", job.id.key.text)
        member("state", job.state.rawValue)
        member("position", job.position)
        member("ahead", job.ahead)
        member("queue_depth", job.queueDepth)
        if let partition = job.partition { member("partition", partition) }
        member("eta_seconds", job.estimatedRemaining)
        member("running_seconds", receipt.runningFor)
        member("run_at", job.runAt)
        if let durability { member("durability", durability.rawValue) }
        if job.isRerun { member("rerun", true) }
    }

    private static func message(_ receipt: RefreshReceipt) -> String {
        if receipt.job.isRerun { return "One more refresh follows the running one" }
        switch receipt.status {
        case .started: return receipt.job.runAt == nil ? "Refresh queued" : "Refresh scheduled"
        case .queued: return "Refresh already queued"
        case .running: return "Refresh already running"
        }
    }
}

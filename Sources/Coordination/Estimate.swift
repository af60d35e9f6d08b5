internal import FreshetModel

/// Time left until a job's end, from what is known about the queue and earlier runs.
enum Estimate {
    /// The time left of `job`, or `nil` when it is over or nothing is known.
    ///
    /// - Parameters:
    ///   - job: With state, `ahead`, progress, start and `runAt` filled in.
    ///   - running: Live leases.
    ///   - capacity: Slots of live workers, capped by `max_concurrent`.
    ///   - own: The average run time of the job's resource.
    ///   - overall: The average run time over all resources; stands for the jobs ahead.
    static func remaining(
        of job: Job, now: Timestamp, running: Int, capacity: Int, average own: Duration?,
        overall: Duration?
    ) -> Duration? {
        guard !job.state.isEnded else { return nil }
        if job.state == .running { return runningRemaining(job, now: now, average: own ?? overall) }
        guard let run = own ?? overall else { return nil }
        var wait = Duration.zero
        if let runAt = job.runAt { wait = max(.zero, runAt - now) }
        // A live lease proves a slot, whether or not its worker has told of itself.
        let slots = capacity > 0 ? capacity : running
        guard slots > 0 else { return job.runAt == nil ? nil : wait + run }
        let ahead = job.ahead ?? 0
        let typical = (overall ?? run).inSeconds
        // A running job has, on average, half its time behind it.
        let work = Double(ahead) * typical + Double(min(running, slots)) * typical / 2
        let queueWait = running + ahead < slots ? 0 : work / Double(slots)
        return max(wait, .milliseconds(Int64(queueWait * 1000))) + run
    }

    /// The time left of a rerun: that of the job under way, and a run of its own.
    static func remaining(
        ofRerunAfter job: Job?, average own: Duration?, overall: Duration?
    ) -> Duration? {
        guard let before = job?.estimatedRemaining, let run = own ?? overall else { return nil }
        return before + run
    }

    private static func runningRemaining(
        _ job: Job, now: Timestamp, average: Duration?
    ) -> Duration? {
        guard let started = job.startedAt else { return average }
        let elapsed = max(.zero, now - started)
        if let percent = job.progress?.percent, percent >= 1 {
            let seconds = elapsed.inSeconds * (100 - percent) / percent
            return .milliseconds(Int64(seconds * 1000))
        }
        guard let average else { return nil }
        // Overdue: a tenth of what it has taken already.
        return max(average - elapsed, .milliseconds(elapsed.milliseconds / 10))
    }
}

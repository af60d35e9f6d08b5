internal import FreshetModel

/// The record of an ended job: state, class, attempt, started, finished, duration, version, worker
/// and error, separated by tabs (the error comes last and may hold some).
enum EndedJob {
    static func decode(_ text: String, id: JobID) -> Job? {
        let columns = text.split(
            separator: "\t", maxSplits: 8, omittingEmptySubsequences: false
        ).map(String.init)
        guard columns.count == 9, let state = JobState(rawValue: columns[0]), state.isEnded else {
            return nil
        }
        let priority = Int(columns[1]).flatMap { Priority(rawValue: $0) } ?? .normal
        var job = Job(id: id, state: state, priority: priority)
        job.attempt = Int(columns[2]) ?? 0
        job.startedAt = Int64(columns[3]).map { Timestamp(milliseconds: $0) }
        job.finishedAt = Int64(columns[4]).map { Timestamp(milliseconds: $0) }
        job.duration = Int64(columns[5]).map { .milliseconds($0) }
        job.version = Int64(columns[6])
        job.worker = columns[7].isEmpty ? nil : columns[7]
        job.error = columns[8].isEmpty ? nil : columns[8]
        return job
    }

    /// The id behind a member `RUN-KEY`.
    static func id(member: String) -> JobID? {
        guard let dash = member.firstIndex(of: "-"), let run = Int64(member[..<dash]),
            let key = Key(String(member[member.index(after: dash)...]))
        else { return nil }
        return JobID(run: run, key: key)
    }
}

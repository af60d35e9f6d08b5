internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// Jobs: one, many, cancelled.
struct JobHandler {
    let store: any RefreshStore
    let resources: [ResourceName: Resource]
    let keepJobs: Duration

    /// `GET /v1/jobs/{id}`.
    func job(_ text: String, caller: Caller) async throws(Problem) -> HTTPReply {
        let id = try id(text, caller)
        let job: Job?
        do {
            job = try await store.job(id)
        } catch {
            throw Problem(error)
        }
        guard let job else { throw Self.unknown(text) }
        return JSONAnswer.object { $0.members(of: job, maximumAttempts: maximumAttempts(job)) }
    }

    /// `DELETE /v1/jobs/{id}`.
    func cancel(_ text: String, caller: Caller) async throws(Problem) -> HTTPReply {
        let id = try id(text, caller)
        let outcome: CancelOutcome
        var job: Job?
        do {
            outcome = try await store.cancel(id, keepJobs: keepJobs)
            job = try await store.job(id)
        } catch {
            throw Problem(error)
        }
        switch outcome {
        case .removed, .stopped:
            let ended = job ?? Job(id: id, state: .cancelled)
            return JSONAnswer.object(status: 202) {
                $0.members(of: ended, maximumAttempts: maximumAttempts(ended))
            }
        case .alreadyEnded(let state):
            var problem = Problem(
                409, "already_ended", "The job has ended: it is \(state.rawValue).")
            problem.job = job
            problem.maximumAttempts = resources[id.key.resource]?.retry.maximumAttempts
            throw problem
        case .unknown: throw Self.unknown(text)
        }
    }

    /// `GET /v1/jobs` and `GET /v1/dead`: jobs in one of `states`, all when there is none.
    func list(
        _ states: Set<JobState>, _ query: inout StrictQuery, name: String, caller: Caller
    ) async throws(Problem) -> HTTPReply {
        let limit = try query.takeLimit()
        let cursor = try query.takeCursor(of: name)
        try query.finish()
        let page: Page<Job>
        do {
            page = try await store.jobs(states: states, cursor: cursor, limit: limit)
        } catch {
            throw Problem(error)
        }
        let visible = page.items.filter { caller.access.allows($0.id.key.resource) }
        return JSONAnswer.page(visible, nextCursor: Cursor.seal(page.nextCursor, of: name)) {
            json, job in
            json.object { $0.members(of: job, maximumAttempts: maximumAttempts(job)) }
        }
    }

    /// Takes `state` of a listing: names separated by commas.
    static func takeStates(_ query: inout StrictQuery) throws(Problem) -> Set<JobState> {
        guard let text = try query.take("state") else { return [] }
        var states: Set<JobState> = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let state = JobState(rawValue: String(name)) else {
                let names = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("invalid_parameter", "`state` is one of \(names).")
            }
            states.insert(state)
        }
        return states
    }

    private func id(_ text: String, _ caller: Caller) throws(Problem) -> JobID {
        guard let id = JobID(text) else { throw Self.unknown(text) }
        try caller.demand(id.key.resource)
        return id
    }

    private func maximumAttempts(_ job: Job) -> Int? {
        resources[job.id.key.resource]?.retry.maximumAttempts
    }

    private static func unknown(_ text: String) -> Problem {
        .notFound("unknown_job", "No job `\(text.shortened)` is known.")
    }
}

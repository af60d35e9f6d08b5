internal import Codecs
internal import Coordination
package import FreshetModel
internal import Representation

extension Operator {
    /// `freshet jobs`.
    package func jobs(
        states: Set<JobState>, limit: Int, json: Bool
    ) async throws(OperatorError) {
        let (jobs, more) = try await listJobs(states, limit: limit)
        print(jobs, more: more, json: json, ifEmpty: "no jobs")
    }

    /// `freshet job`.
    package func job(_ text: String, json: Bool) async throws(OperatorError) {
        let id = try jobID(text)
        let found = try await call { store throws(RefreshError) in try await store.job(id) }
        guard let job = found else { throw .failed("no job \(id)") }
        if json {
            printJSON { json in
                json.object { $0.members(of: job, maximumAttempts: maximumAttempts(of: job)) }
            }
        } else {
            console.print(details: details(of: job))
        }
    }

    /// `freshet cancel`.
    package func cancel(_ text: String, json: Bool) async throws(OperatorError) {
        let id = try jobID(text)
        let outcome = try await call { store throws(RefreshError) in
            try await store.cancel(id, keepJobs: keepJobs)
        }
        switch outcome {
        case .unknown: throw .failed("no job \(id)")
        case .alreadyEnded(let state): throw .failed("\(id) has ended already: \(state.rawValue)")
        case .removed, .stopped:
            let isRunning = outcome == .stopped
            guard json else {
                return console.print(isRunning ? "stopping \(id)" : "removed \(id)")
            }
            let job = try await call { store throws(RefreshError) in try await store.job(id) }
            printJSON { json in
                json.object {
                    $0.members(
                        of: job ?? Job(id: id, state: .cancelled), maximumAttempts: nil)
                }
            }
        }
    }

    /// `freshet dead`.
    package func dead(limit: Int, json: Bool) async throws(OperatorError) {
        let (jobs, more) = try await listJobs([.dead], limit: limit)
        print(jobs, more: more, json: json, ifEmpty: "no dead jobs")
    }

    /// `freshet dead --retry ID`: a new job for each.
    package func retryDead(_ texts: [String], json: Bool) async throws(OperatorError) {
        var keys: [Key] = []
        for text in texts {
            let id = try jobID(text)
            let found = try await call { store throws(RefreshError) in try await store.job(id) }
            guard let job = found else { throw .failed("no job \(id)") }
            guard job.state == .dead else {
                throw .failed("\(id) is not dead: \(job.state.rawValue)")
            }
            keys.append(id.key)
        }
        try await retry(keys, json: json)
    }

    /// `freshet dead --retry-all`.
    package func retryAllDead(json: Bool) async throws(OperatorError) {
        let (jobs, _) = try await listJobs([.dead], limit: .max)
        try await retry(jobs.map(\.id.key), json: json)
    }

    private func retry(_ keys: [Key], json: Bool) async throws(OperatorError) {
        let requests = keys.map { key in
            var request = RefreshRequest(
                key: key, priority: settings?.resources[key.resource]?.priority ?? .normal)
            request.maximumQueue = (settings?.refresh ?? RefreshSettings()).maximumQueue
            return request
        }
        let outcomes = try await call { store throws(RefreshError) in
            try await store.requestMany(requests)
        }
        if json {
            printJSON { json in
                json.object { json in
                    json.member("items", zip(keys, outcomes)) { json, pair in
                        json.outcome(pair.1, of: pair.0, durability: durability)
                    }
                }
            }
        } else {
            for (key, outcome) in zip(keys, outcomes) {
                switch outcome {
                case .accepted(let receipt): console.print("queued \(receipt.job.id)")
                default: console.writeError("\(key): \(outcome.refusal)\n")
                }
            }
            if keys.isEmpty { console.print("no dead jobs") }
        }
        let refused = outcomes.filter { $0.receipt == nil }.count
        if refused > 0 { throw .failed("\(refused) of \(keys.count) could not be queued") }
    }

    /// - Returns: At most `limit` jobs, and whether there are more.
    func listJobs(
        _ states: Set<JobState>, limit: Int
    ) async throws(OperatorError) -> (jobs: [Job], more: Bool) {
        var jobs: [Job] = []
        var cursor: String?
        repeat {
            let after = cursor
            let page = try await call { store throws(RefreshError) in
                try await store.jobs(
                    states: states, cursor: after, limit: min(1000, limit - jobs.count))
            }
            jobs += page.items
            cursor = page.nextCursor
        } while cursor != nil && jobs.count < limit
        return (jobs, cursor != nil)
    }

    private func print(_ jobs: [Job], more: Bool, json: Bool, ifEmpty: String) {
        if json {
            return printJSON { json in
                json.page(jobs) { json, job in
                    json.object { $0.members(of: job, maximumAttempts: maximumAttempts(of: job)) }
                }
            }
        }
        var table = TextTable([
            .init(title: "ID"), .init(title: "STATE"), .init(title: "POSITION", isNumber: true),
            .init(title: "ATTEMPT", isNumber: true), .init(title: "TOOK", isNumber: true),
            .init(title: "PROGRESS OR ERROR"),
        ])
        for job in jobs {
            let note = job.state.isEnded || job.state == .retrying ? job.error : job.progress?.line
            table.add([
                .init(job.id.text), .init(job.state.rawValue, job.state.style),
                .init(job.position), .init(job.attempt),
                .init(job.duration.map(HumanUnits.duration) ?? "-"), .init(note ?? ""),
            ])
        }
        console.print(table, ifEmpty: ifEmpty)
        if more { console.writeError("there are more; see --limit\n") }
    }

    private func details(of job: Job) -> [(String, TextTable.Cell)] {
        var rows: [(String, TextTable.Cell)] = [
            ("id", .init(job.id.text)), ("key", .init(job.id.key.text)),
            ("state", .init(job.state.rawValue, job.state.style)),
            ("priority", .init(job.priority.name)),
        ]
        if let position = job.position, position > 0 {
            rows.append(("position", .init("\(position) of \(job.queueDepth)")))
        }
        let attempts = maximumAttempts(of: job).map { " of \($0)" } ?? ""
        rows.append(("attempt", .init("\(job.attempt)\(attempts)")))
        if let progress = job.progress { rows.append(("progress", .init(progress.line))) }
        if let remaining = job.estimatedRemaining {
            rows.append(("ends in about", .init(HumanUnits.duration(remaining))))
        }
        let times: [(String, Timestamp?)] = [
            ("created", job.id.createdAt), ("next attempt", job.runAt), ("started", job.startedAt),
            ("finished", job.finishedAt),
        ]
        for (name, time) in times {
            if let time { rows.append((name, .init(time.rfc3339))) }
        }
        if let duration = job.duration {
            rows.append(("took", .init(HumanUnits.duration(duration))))
        }
        if let version = job.version { rows.append(("version", .init(Int(version)))) }
        if let worker = job.worker { rows.append(("worker", .init(worker))) }
        if let error = job.error { rows.append(("error", .init(error, .red))) }
        return rows
    }
}

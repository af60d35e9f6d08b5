internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Reads of keys of which nothing is kept.
extension ReadHandler {
    /// Asks for the first payload, together with all others who want it, and waits as the resource
    /// and the client say.
    func cold(
        _ plan: ReadPlan, _ facts: ReadFacts, _ entry: KeyEntry, _ wait: inout EndWait,
        _ trace: String?, seen: Int64
    ) async throws(Problem) -> HTTPReply {
        var seen = seen
        let began = EventLoop.monotonicNanoseconds()
        // Each round begins with something new: a payload that came and went, a cancelled job.
        for _ in 0..<3 {
            let receipt: RefreshReceipt
            let isExact = facts.preferences.respondAsync || plan.cold == .unavailable
            switch try await ask(plan, entry, trace, seen: seen, isExact: isExact) {
            case .receipt(let accepted): receipt = accepted
            case .held: return try await answer(plan, facts, entry, HitAnswer.Circumstances())
            case .newer(let version):
                seen = version
                continue
            }
            let job = receipt.job
            wait.job = job.id
            let preferred = facts.preferences.wait
            if facts.preferences.respondAsync, preferred == nil {
                return receipts.accepted(receipt, applied: "respond-async")
            }
            if job.state == .retrying, preferred == nil { throw await retrying(job) }
            let limit =
                preferred.map { Duration.seconds($0) }
                ?? (plan.cold == .wait ? plan.resource.waitTimeout : .zero)
            let elapsed = Duration.nanoseconds(
                Int64(EventLoop.monotonicNanoseconds() - began))
            switch limit <= elapsed ? nil : await wait.next(atMost: limit - elapsed) {
            case .updated?:
                if entry.servable(time.now()) == nil { continue }
                return try await answer(
                    plan, facts, entry,
                    HitAnswer.Circumstances(
                        kind: .waitedCold, isRefreshing: entry.isRefreshing,
                        applied: preferred.map { "wait=\($0)" }))
            case .failed(_, let error)?:
                throw failed(await known(entry.refresh.job ?? job), error: error)
            case .cancelled(let ended)?:
                if ended == nil, entry.refresh.state.isUnderWay { continue }
                if let copy = entry.servable(time.now()), copy.metadata.version > 0 {
                    return try await answer(plan, facts, entry, HitAnswer.Circumstances())
                }
                if ended == nil { continue }
                throw notReady(plan, await known(job), "The refresh was cancelled.")
            case nil:
                if job.state == .retrying { throw await retrying(job) }
                if facts.preferences.respondAsync {
                    return receipts.accepted(receipt, applied: "respond-async")
                }
                throw notReady(
                    plan, await known(entry.refresh.job ?? job),
                    "Nothing is kept yet; a refresh is under way.")
            }
        }
        throw notReady(plan, entry.refresh.job, "Nothing is kept.")
    }

    private enum Asked {
        case receipt(RefreshReceipt)
        /// Something is held by now.
        case held
        /// The store has, or had, this version.
        case newer(Int64)
    }

    private func ask(
        _ plan: ReadPlan, _ entry: KeyEntry, _ trace: String?, seen: Int64, isExact: Bool
    ) async throws(Problem) -> Asked {
        let outcome: Result<RequestOutcome, RefreshError>
        if plan.wantsRefresh {
            outcome = await askOnBehalf(plan, entry, trace)
        } else {
            outcome = await asker.ask(entry, seen: seen, trace: trace, isExact: isExact)
        }
        if entry.servable(time.now()) != nil { return .held }
        switch outcome {
        case .success(.accepted(let receipt)): return .receipt(receipt)
        case .success(.notNeeded(let version)):
            if case .failure(let error) = await loader.load(entry) { throw Problem(error) }
            return entry.servable(time.now()) == nil ? .newer(version) : .held
        case .success(.coolingDown(let id, let error)):
            var job = Job(id: id, state: .dead)
            if let known = entry.refresh.job, known.id == id { job = known }
            job = await known(job)
            job.error = job.error ?? error
            throw failed(job, error: error)
        case .success(.queueFull(let waiting)): throw .queueFull(waiting: waiting)
        case .failure(let error): throw Problem(error)
        }
    }

    /// Asks because the client said `refresh=true`.
    func askOnBehalf(
        _ plan: ReadPlan, _ entry: KeyEntry, _ trace: String?
    ) async -> Result<RequestOutcome, RefreshError> {
        var request = receipts.request(entry.key, plan.resource)
        request.traceparent = trace
        request.seenVersion = entry.copy?.metadata.version
        do {
            let outcome = try await store.request(request)
            if case .accepted(let receipt) = outcome { asker.accepted(receipt, entry) }
            return .success(outcome)
        } catch {
            return .failure(error)
        }
    }

    /// The problem of a job whose next attempt is still to come.
    private func retrying(_ job: Job) async -> Problem {
        let known = await known(job)
        return failed(known, error: known.error ?? "see the job")
    }

    /// The job as `GET /v1/jobs/{id}` shows it: receipts and events tell less. When the store does
    /// not answer, what they told has to do.
    private func known(_ job: Job) async -> Job {
        do {
            return try await store.job(job.id) ?? job
        } catch {
            return job
        }
    }

    private func failed(_ job: Job, error: String) -> Problem {
        var problem = Problem(
            502, "source_failed",
            "The first attempt to produce `\(job.id.key.text.shortened)` failed: \(error)")
        problem.job = job
        if let runAt = job.runAt {
            let left = (runAt.milliseconds - time.now().milliseconds + 999) / 1000
            problem.retryAfter = max(1, Int(left))
        }
        return problem
    }

    private func notReady(_ plan: ReadPlan, _ job: Job?, _ detail: String) -> Problem {
        var problem = Problem(503, "not_ready", detail)
        problem.job = job
        let left = job?.estimatedRemaining?.inSeconds ?? 1
        problem.retryAfter = Int(min(max(1, left.rounded(.up)), 60))
        return problem
    }
}

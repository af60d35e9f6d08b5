public import FreshetModel
internal import Redis
internal import Runtime
internal import Synchronization

extension RedisRefreshStore {
    /// See `RefreshStore.request`. Script `request`; what is asked at the same time shares a call.
    public func request(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        try await ask(request, expire: false)
    }

    /// See `RefreshStore.expire`. Script `request` with the expire flag.
    public func expire(_ request: RefreshRequest) async throws(RefreshError) -> RequestOutcome {
        try await ask(request, expire: true)
    }

    /// See `RefreshStore.requestMany`. Script `request`, 100 keys a call.
    public func requestMany(
        _ requests: [RefreshRequest]
    ) async throws(RefreshError) -> [RequestOutcome] {
        var outcomes: [Int: RequestOutcome] = [:]
        outcomes.reserveCapacity(requests.count)
        var queues: [[Int]] = Array(repeating: [], count: partitions)
        for (index, request) in requests.enumerated() {
            queues[request.key.partition(of: partitions)].append(index)
        }
        for (partition, indices) in queues.enumerated() {
            for start in stride(from: 0, to: indices.count, by: Limits.scriptMembers) {
                let slice = indices[start..<min(start + Limits.scriptMembers, indices.count)]
                let answers = try await ask(
                    slice.map { requests[$0] }, in: spaces[partition], expire: false)
                for (index, answer) in zip(slice, answers) { outcomes[index] = answer }
            }
        }
        return requests.indices.compactMap { outcomes[$0] }
    }

    private func ask(
        _ request: RefreshRequest, expire: Bool
    ) async throws(RefreshError) -> RequestOutcome {
        let space = space(of: request.key)
        // WAIT goes with the call that wrote, which then cannot be others' too.
        guard waitReplicas == 0 else {
            return try await ask([request], in: space, expire: expire)[0]
        }
        let averages = try await averages(in: space)
        let answer = try await askGroups[space.partition].submit(
            Self.arguments(request, expire: expire))
        let load = try QueueLoad(answer.reply, averages, partition: told(space))
        return try Self.outcome(
            answer.reply.sub(answer.index), request.key, load,
            average: averages.resources[request.key.resource.text])
    }

    private func ask(
        _ requests: [RefreshRequest], in space: KeySpace, expire: Bool
    ) async throws(RefreshError) -> [RequestOutcome] {
        var arguments: [RedisArgument] = []
        arguments.reserveCapacity(requests.count * 11 + 1)
        for request in requests { arguments += Self.arguments(request, expire: expire) }
        let averages = try await averages(in: space)
        let reply = try await confirmed(RefreshScripts.request, in: space, arguments)
        let load = try QueueLoad(reply, averages, partition: told(space))
        var outcomes: [RequestOutcome] = []
        outcomes.reserveCapacity(requests.count)
        for (index, request) in requests.enumerated() {
            outcomes.append(
                try Self.outcome(
                    reply.sub(3 + index), request.key, load,
                    average: averages.resources[request.key.resource.text]))
        }
        return outcomes
    }

    private static func arguments(_ request: RefreshRequest, expire: Bool) -> [RedisArgument] {
        [
            .text(request.key.text), .text(request.origin.code),
            .integer(Int64(request.priority.rawValue)),
            .integer(request.delay.milliseconds), request.force ? "1" : "0",
            .text(ScopeCoding.encode(request.scope)), .integer(request.seenVersion ?? -1),
            .integer(request.coolDown.milliseconds), .integer(Int64(request.maximumQueue)),
            .text(request.traceparent ?? ""), expire ? "1" : "0",
        ]
    }

    /// As `run`; with `wait_replicas`, only once so many replicas have what the script wrote.
    ///
    /// WAIT goes over the connection that wrote, because it counts that connection's writes alone
    /// (redis.io/commands/wait), and it promises nothing: the count is compared here.
    private func confirmed(
        _ script: RedisScript, in space: KeySpace, _ arguments: [RedisArgument]
    ) async throws(RefreshError) -> Reply {
        guard waitReplicas > 0 else { return try await run(script, in: space, arguments) }
        let pair: (value: RedisValue, replicas: Int)
        do {
            pair = try await client.evaluateThenWait(
                script, keys: [space.meta], arguments: arguments + [clockArgument],
                replicas: waitReplicas, timeout: .milliseconds(500), deadline: deadlines.write)
        } catch {
            throw client.failure(error, script)
        }
        guard pair.replicas >= waitReplicas else {
            throw RefreshError(
                .notDurable,
                "the job is queued, but \(pair.replicas) of \(waitReplicas) replicas have it",
                effect: .applied)
        }
        return Reply(pair.value)
    }

    /// What is known of the partition's run times, at most a second old; with a test's clock, now.
    private func averages(in space: KeySpace) async throws(RefreshError) -> RunAverages {
        let now = EventLoop.monotonicNanoseconds()
        let known = knownAverages.withLock { $0[space.partition] }
        if let known, !hasTestClock, now - known.readAt < 1_000_000_000 { return known }
        let load = try QueueLoad(
            try await run(RefreshScripts.read, in: space, ["0", "-2", "0"]))
        let statistics = try await send(
            ["HGETALL", .text(space.statistics)], routing: space.statistics)
        var averages = RunAverages(
            capacity: load.capacity, overall: load.average, resources: [:], readAt: now)
        for (name, value) in statistics.record.fields where name.hasSuffix(":avg") {
            guard let milliseconds = Double(value) else { continue }
            averages.resources[String(name.dropLast(4))] = .microseconds(
                Int64(milliseconds * 1000))
        }
        knownAverages.withLock { [averages] in $0[space.partition] = averages }
        return averages
    }

    private static func outcome(
        _ answer: Reply, _ key: Key, _ load: QueueLoad, average: Duration?
    ) throws(RefreshError) -> RequestOutcome {
        let word = try answer.text(0)
        switch word {
        case "full": return .queueFull(waiting: load.waiting)
        case "unneeded": return .notNeeded(version: try answer.integer(1))
        case "cooling":
            return .coolingDown(
                JobID(run: try answer.integer(1), key: key), error: try answer.text(2))
        case "broken": throw try answer.broken()
        default: break
        }
        guard let status = RefreshReceipt.Status(rawValue: word) else { throw answer.misfit(0) }
        let priority = Priority(rawValue: try answer.int(3)) ?? .normal
        let isRerun = try answer.int(8) == 1
        var job = Job(
            id: JobID(run: try answer.integer(1), key: key),
            state: JobState(place: try answer.text(2)), priority: priority)
        let rank = try answer.int(4)
        let runAt = try answer.integer(5)
        let since = try answer.integer(7)
        job.isRerun = isRerun
        job.attempt = try answer.int(6)
        job.queueDepth = load.waiting
        job.runAt = runAt > 0 ? Timestamp(milliseconds: runAt) : nil
        var running = job
        running.state = .running
        running.startedAt = Timestamp(milliseconds: since)
        running.progress = answer.count > 9 ? ProgressCoding.decode(try answer.text(9)) : nil
        if isRerun {
            load.place(&job, after: running, average: average)
        } else {
            if job.state == .running { job = running }
            load.place(&job, rank: rank, average: average)
        }
        let runningFor: Duration? =
            since > 0 ? max(.zero, load.now - Timestamp(milliseconds: since)) : nil
        return .accepted(RefreshReceipt(status: status, job: job, runningFor: runningFor))
    }

    /// See `RefreshStore.purge`. Script `purge`.
    public func purge(_ key: Key, keepJobs: Duration) async throws(RefreshError) {
        _ = try await run(
            RefreshScripts.purge, in: space(of: key),
            [.text(key.text), .integer(keepJobs.milliseconds)])
    }

    /// See `RefreshStore.cancel`. Script `cancel`.
    public func cancel(
        _ job: JobID, keepJobs: Duration
    ) async throws(RefreshError) -> CancelOutcome {
        let reply = try await run(
            RefreshScripts.cancel, in: space(of: job.key),
            [.text(job.key.text), .integer(job.run), .integer(keepJobs.milliseconds)])
        switch reply.value.text ?? "" {
        case "removed": return .removed
        case "stopped": return .stopped
        case let word:
            return JobState(rawValue: word).map { .alreadyEnded($0) } ?? .unknown
        }
    }

    /// See `RefreshStore.setPaused`. Script `pause`, in every partition.
    public func setPaused(_ isPaused: Bool) async throws(RefreshError) {
        for space in spaces {
            _ = try await run(RefreshScripts.pause, in: space, [isPaused ? "1" : "0"])
        }
    }
}

extension RefreshRequest.Origin {
    /// The letter scripts know it by.
    var code: String {
        switch self {
        case .ask: "a"
        case .read: "r"
        case .monitor: "m"
        case .schedule: "s"
        }
    }
}

extension JobState {
    /// From the letter of a record's `st`.
    init(place: String) {
        switch place {
        case "r": self = .running
        case "t": self = .retrying
        case "f": self = .dead
        default: self = .queued
        }
    }
}

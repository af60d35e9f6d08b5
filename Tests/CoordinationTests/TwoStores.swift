import FreshetModel

@testable import Coordination

/// The memory store and the Redis store side by side on one clock: every step is done to both, and
/// everything they tell is compared.
final class TwoStores {
    struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    private let memory: MemoryRefreshStore
    private let redis: RedisRefreshStore
    private let clock = HandClock()
    private let keys: [Key]
    private let keepJobs = Duration.seconds(3600 * 24)
    /// The same claim as each store gave it: they differ in nonces alone.
    private var claims: [(memory: Claim, redis: Claim)] = []
    private var jobs: [JobID] = []
    private var told = 0

    init() throws {
        let clock = clock
        memory = MemoryRefreshStore { clock.now }
        redis = try Scene.redis(partitions: 1) { clock.now }
        keys = try Step.keys.map { try makeKey($0) }
    }

    /// Runs `steps` on two fresh stores; the first difference, with the number of its step.
    static func difference(_ steps: [Step]) async throws -> (step: Int, text: String)? {
        let both = try TwoStores()
        defer { both.redis.close() }
        for (index, step) in steps.enumerated() {
            do {
                try await both.run(step)
                try await both.compareViews(isThorough: index % 8 == 0 || index == steps.count - 1)
            } catch let difference as Difference {
                return (index, difference.description)
            }
        }
        return nil
    }

    /// Steps without which there is no difference any more, as far as `budget` runs can tell.
    static func shrunk(_ steps: [Step], budget: Int = 300) async throws -> [Step] {
        var steps = steps
        var runs = 0
        var size = max(1, steps.count / 2)
        while true {
            var start = 0
            while start < steps.count, runs < budget {
                var fewer = steps
                fewer.removeSubrange(start..<min(start + size, fewer.count))
                runs += 1
                if let found = try await difference(fewer) {
                    steps = Array(fewer.prefix(found.step + 1))
                } else {
                    start += size
                }
            }
            if size == 1 || runs >= budget { return steps }
            size /= 2
        }
    }

    // MARK: steps

    private func run(_ step: Step) async throws {
        // A moment passes with each step, as it does between two scripts of a real Redis.
        clock.advance(.milliseconds(7))
        switch step {
        case .advance(let duration): clock.advance(duration)
        case .request(let ask): try await request(ask)
        case .requestMany(let asks):
            var requests: [RefreshRequest] = []
            for ask in asks { requests.append(try await build(ask)) }
            let left = try await memory.requestMany(requests)
            let right = try await redis.requestMany(requests)
            for (left, right) in zip(left, right) { try same(left, right, inBatch: true) }
        case .expire(let ask):
            let request = try await build(ask)
            try same(await memory.expire(request), await redis.expire(request))
        case .purge(let key):
            try await memory.purge(keys[key % keys.count], keepJobs: keepJobs)
            try await redis.purge(keys[key % keys.count], keepJobs: keepJobs)
        case .cancel(let number):
            guard let id = pick(jobs, number) else { return }
            try same(
                "cancel", await memory.cancel(id, keepJobs: keepJobs),
                await redis.cancel(id, keepJobs: keepJobs))
        case .pause(let isPaused):
            try await memory.setPaused(isPaused)
            try await redis.setPaused(isPaused)
        case .claim(let limit, let maximum, let lease):
            let request = claimRequest(limit: limit, maximum: maximum, lease: lease)
            try same(await memory.claim(request), await redis.claim(request))
        case .heartbeat, .publish, .fail, .handBack, .release: try await settle(step)
        case .maintain(let guarded):
            let interval = Duration.seconds(guarded ? 5 : 0)
            try same(
                "maintain",
                await memory.maintain(
                    partition: 0, keepJobs: keepJobs, atMostEvery: interval),
                await redis.maintain(partition: 0, keepJobs: keepJobs, atMostEvery: interval))
        case .slots(let names, let maximum, let back):
            let slots = names.map { Slot(lease: .seconds($0 < 2 ? 3 : 10), name: "s\($0)") }
            guard back else {
                return try same(
                    "slots", await memory.takeSlots(slots, maximum: maximum),
                    await redis.takeSlots(slots, maximum: maximum))
            }
            try await memory.giveBackSlots(slots)
            try await redis.giveBackSlots(slots)
        case .staleKeys, .recordReads, .announce, .withdraw, .lead, .fire:
            try await upkeep(step)
        }
    }

    private func build(_ ask: Step.Ask) async throws -> RefreshRequest {
        var request = RefreshRequest(
            key: keys[ask.key % keys.count], origin: ask.origin, priority: ask.priority)
        request.delay = .seconds(ask.delay)
        request.force = ask.force
        request.scope = RefreshScope(ask.scope)
        request.coolDown = .seconds(ask.coolDown)
        request.maximumQueue = ask.maximumQueue
        if let behind = ask.seenBehind {
            let version = try await memory.statuses([request.key])[0].version
            request.seenVersion = max(0, version - behind)
        }
        return request
    }

    private func request(_ ask: Step.Ask) async throws {
        let request = try await build(ask)
        try same(await memory.request(request), await redis.request(request))
    }

    private func claimRequest(limit: Int, maximum: Int? = nil, lease: Int = 10) -> ClaimRequest {
        var request = ClaimRequest(worker: "w\(limit)", limit: limit, lease: .seconds(lease))
        request.maximumConcurrent = maximum
        request.leases = [keys[0].resource: .seconds(25)]
        return request
    }

    private func settle(_ step: Step) async throws {
        switch step {
        case .heartbeat(let numbers, let done):
            let chosen = numbers.compactMap { pick(claims, $0) }
            let progress = done.map { Progress(done: $0, total: 40, message: "at \($0)") }
            try same(
                "heartbeat",
                await memory.heartbeat(
                    chosen.map { Heartbeat(claim: $0.memory, progress: progress) }),
                await redis.heartbeat(
                    chosen.map { Heartbeat(claim: $0.redis, progress: progress) }))
        case .publish(let number, let content, let fresh, let keep, let variants, let next):
            guard let claim = pick(claims, number) else { return }
            func publication(_ claim: Claim) -> Publication {
                var publication = Publication(
                    claim: claim, content: .renewal,
                    freshFor: fresh < 0 ? .never : .duration(.seconds(fresh)),
                    keepFor: keep.map { .seconds($0) })
                if let content {
                    var payload = Payload(
                        bytes: Array("[\(content)]".utf8), contentType: "application/json")
                    payload.facts.contentTag = "tag\(content)"
                    payload.facts.itemCount = content
                    publication.content = .payload(payload)
                }
                publication.keepJobs = keepJobs
                publication.maximumVariants = variants
                return publication
            }
            let request = next ? claimRequest(limit: 1) : nil
            let left = try await memory.publish(publication(claim.memory), claimNext: request)
            let right = try await redis.publish(publication(claim.redis), claimNext: request)
            try same("publish", left.outcome, right.outcome)
            try same(left.next, right.next)
        case .fail(let number, let retryAfter, let online):
            guard let claim = pick(claims, number) else { return }
            func failure(_ claim: Claim) -> AttemptFailure {
                var failure = AttemptFailure(
                    claim: claim, error: "failed \"\(number)\"\n",
                    retryAfter: retryAfter.map { .seconds($0) })
                failure.sourceOnline = online
                failure.keepJobs = keepJobs
                return failure
            }
            try same(
                "fail", await memory.fail(failure(claim.memory)),
                await redis.fail(failure(claim.redis)))
        case .handBack(let number, let delay):
            guard let claim = pick(claims, number) else { return }
            try same(
                "handBack", await memory.handBack(claim.memory, delay: .seconds(delay)),
                await redis.handBack(claim.redis, delay: .seconds(delay)))
        case .release(let number):
            guard let claim = pick(claims, number) else { return }
            try await memory.release(claim.memory)
            try await redis.release(claim.redis)
        default: break
        }
    }

    private func upkeep(_ step: Step) async throws {
        switch step {
        case .staleKeys(let limit, let window, let coolDown):
            func found(_ store: any RefreshStore) async throws -> [String] {
                let found = try await store.staleKeys(
                    limit: limit, activeWindow: .seconds(window), coolDown: .seconds(coolDown))
                return found.keys.map { "\($0.key) \($0.version)" } + ["\(found.looked)"]
            }
            try same("staleKeys", await found(memory), await found(redis))
        case .recordReads(let numbers):
            let read = numbers.map { keys[$0 % keys.count] }
            var counts = ReadCounts()
            counts.hits = numbers[0] % 3
            counts.staleHits = numbers[0] % 2
            for store in [memory, redis] as [any RefreshStore] {
                try await store.recordReads(read, counts: [read[0].resource: counts])
            }
        case .announce(let worker, let capacity):
            let presence = WorkerPresence(
                id: "w\(worker)", capacity: capacity, running: 1, version: "1.0")
            for store in [memory, redis] as [any RefreshStore] {
                try await store.announce(presence, timeout: .seconds(30))
            }
        case .withdraw(let worker):
            try await memory.withdraw(worker: "w\(worker)")
            try await redis.withdraw(worker: "w\(worker)")
        case .lead(let scheduler):
            try same(
                "lead", await memory.lead("s\(scheduler)", lease: .seconds(5)),
                await redis.lead("s\(scheduler)", lease: .seconds(5)))
        case .fire(let slot):
            let time = Timestamp(milliseconds: Int64(slot))
            try same(
                "fire", await memory.fire(keys[0].resource, slot: time),
                await redis.fire(keys[0].resource, slot: time))
        default: break
        }
    }

    /// Counts from the end when negative.
    private func pick<Value>(_ values: [Value], _ number: Int) -> Value? {
        guard !values.isEmpty else { return nil }
        return values[number < 0 ? max(0, values.count + number) : number % values.count]
    }

    // MARK: comparison

    private func same<Value: Equatable>(_ what: String, _ left: Value, _ right: Value) throws {
        guard left != right else { return }
        throw Difference(description: "\(what)\n  memory \(left)\n  redis  \(right)")
    }

    private func same(
        _ left: RequestOutcome, _ right: RequestOutcome, inBatch: Bool = false
    ) throws {
        // In a batch Redis tells how many wait after all of it.
        if inBatch, case .queueFull = left, case .queueFull = right { return }
        guard case .accepted(let one) = left, case .accepted(let two) = right else {
            return try same("request", left, right)
        }
        if one.status == .started || one.job.isRerun { jobs.append(one.job.id) }
        try same("status of receipt", one.status, two.status)
        try same("runningFor", one.runningFor, two.runningFor)
        /// What a receipt tells of a job is less than what a status tells.
        func told(_ job: Job) -> Job {
            var told = Job(id: job.id, state: job.state, priority: job.priority)
            told.position = job.position
            told.ahead = job.ahead
            told.queueDepth = inBatch ? 0 : job.queueDepth
            told.attempt = job.attempt
            told.runAt = job.runAt
            told.isRerun = job.isRerun
            told.progress = job.state == .running ? job.progress : nil
            told.estimatedRemaining = inBatch ? nil : job.estimatedRemaining
            return told
        }
        try sameJob("receipt", told(one.job), told(two.job))
    }

    private func same(_ left: ClaimBatch, _ right: ClaimBatch) throws {
        var one = left
        var two = right
        for index in one.claims.indices { one.claims[index].nonce = "" }
        for index in two.claims.indices { two.claims[index].nonce = "" }
        try same("claim", one, two)
        claims += zip(left.claims, right.claims).map { (memory: $0, redis: $1) }
    }

    /// Averages in Redis are rounded to the microsecond, and estimates add many of them.
    private func sameJob(_ what: String, _ left: Job?, _ right: Job?) throws {
        var left = left
        var right = right
        if let one = left?.estimatedRemaining, let two = right?.estimatedRemaining,
            abs((one - two).milliseconds) < 5
        {
            left?.estimatedRemaining = nil
            right?.estimatedRemaining = nil
        }
        try same(what, left, right)
    }

    private func sameJobs(_ what: String, _ left: [Job], _ right: [Job]) throws {
        try same(what, left.map(\.id), right.map(\.id))
        for (left, right) in zip(left, right) { try sameJob(what, left, right) }
    }

    private func compareViews(isThorough: Bool) async throws {
        let broken = memory.snapshot().states[0].violations(at: clock.now)
        guard broken.isEmpty else { throw Difference(description: "\(broken)") }
        let left = try await memory.statuses(keys)
        let right = try await redis.statuses(keys)
        for (left, right) in zip(left, right) {
            try sameJob("job of \(left.key)", left.job, right.job)
            var one = left
            var two = right
            one.job = nil
            two.job = nil
            try same("status", one, two)
        }
        try await compareEvents()
        guard isThorough else { return }
        try same("queue", await memory.queue(), await redis.queue())
        try same("statistics", await memory.statistics(), await redis.statistics())
        for key in keys {
            let left = try await memory.read(key, held: nil)
            let right = try await redis.read(key, held: nil)
            try same("bytes of \(key)", left.bytes, right.bytes)
        }
        try same(
            "keys", await memory.keys(cursor: nil, limit: 100).items.sorted(),
            await redis.keys(cursor: nil, limit: 100).items.sorted())
        for states: Set<JobState> in [
            [], [.dead], [.queued, .retrying], [.succeeded, .cancelled],
        ] {
            try sameJobs(
                "jobs", await memory.jobs(states: states, cursor: nil, limit: 1000).items,
                await redis.jobs(states: states, cursor: nil, limit: 1000).items)
        }
        for id in jobs.suffix(10) {
            try sameJob("job", await memory.job(id), await redis.job(id))
        }
    }

    /// The logs tell the same, entry by entry or not.
    private func compareEvents() async throws {
        func log(_ store: any RefreshStore) async throws -> [RefreshEvent] {
            let beginning = EventID(partition: 0, epoch: 0, sequence: 0)
            let events = try await store.events(after: beginning, limit: 10_000) ?? []
            return events.dropFirst(told).map { event in
                var event = event
                event.id = EventID(partition: 0, epoch: 0, sequence: 0)
                return event
            }
        }
        let left = try await log(memory)
        try same("events", left, await log(redis))
        told += left.count
    }
}

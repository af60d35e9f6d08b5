public import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// Stored bytes up to which a read gets record and payload from one script.
    static var inlineReadBytes: Int { 256 << 10 }

    /// The rank of a job that stands in none of the sets.
    private static let unplaced = -2

    /// Bytes of one piece of a larger payload.
    static var pieceBytes: Int { 1 << 20 }

    /// See `RefreshStore.read`. Script `read`.
    ///
    /// A payload above `inlineReadBytes` comes in pieces on the bulk connection, between two views
    /// of the same version, so that small calls get their turn between the pieces.
    public func read(_ key: Key, held: Int64?) async throws(RefreshError) -> KeyRead {
        for _ in 0..<5 {
            let (statuses, payloads) = try await view(
                [key], in: space(of: key), held: held ?? -1)
            let status = statuses[0]
            guard let metadata = status.payload, metadata.version != held else {
                return KeyRead(status: status, bytes: nil)
            }
            if let bytes = payloads[0] { return KeyRead(status: status, bytes: bytes) }
            if metadata.storedBytes <= Self.inlineReadBytes {
                // The record is there and its payload is not: evicted, or deleted from outside.
                return KeyRead(status: Self.withoutPayload(status), bytes: nil)
            }
            let bytes = try await pieces(key, count: metadata.storedBytes)
            let after = try await view([key], in: space(of: key), held: nil).statuses[0]
            if after.payload?.version == metadata.version {
                return bytes.map { KeyRead(status: after, bytes: $0) }
                    ?? KeyRead(status: Self.withoutPayload(after), bytes: nil)
            }
        }
        throw RefreshError(
            .redisUnavailable, "\(key) changes faster than it can be read", effect: .none)
    }

    private static func withoutPayload(_ status: KeyStatus) -> KeyStatus {
        var status = status
        status.payload = nil
        return status
    }

    private func pieces(_ key: Key, count: Int) async throws(RefreshError) -> [UInt8]? {
        let name = space(of: key).payload(key.text)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let end = min(bytes.count + Self.pieceBytes, count) - 1
            let piece: RedisValue
            do {
                piece = try await bulk.send(
                    [
                        "GETRANGE", .text(name), .integer(Int64(bytes.count)), .integer(Int64(end)),
                    ], routingKey: name, deadline: deadlines.bulk)
            } catch {
                throw RefreshError(error)
            }
            guard let part = piece.bytes, !part.isEmpty else { return nil }
            bytes += part
        }
        return bytes
    }

    /// See `RefreshStore.statuses`. Script `read`, 100 keys of a partition a call.
    public func statuses(_ keys: [Key]) async throws(RefreshError) -> [KeyStatus] {
        var found: [Int: KeyStatus] = [:]
        var queues: [[Int]] = Array(repeating: [], count: partitions)
        for (index, key) in keys.enumerated() {
            queues[key.partition(of: partitions)].append(index)
        }
        for (partition, indices) in queues.enumerated() {
            for start in stride(from: 0, to: indices.count, by: Limits.scriptMembers) {
                let slice = indices[start..<min(start + Limits.scriptMembers, indices.count)]
                let statuses = try await view(
                    slice.map { keys[$0] }, in: spaces[partition], held: nil
                ).statuses
                for (index, status) in zip(slice, statuses) { found[index] = status }
            }
        }
        return keys.indices.compactMap { found[$0] }
    }

    /// Statuses of keys of one partition; payloads too unless `held` is `nil`.
    private func view(
        _ keys: [Key], in space: KeySpace, held: Int64?
    ) async throws(RefreshError) -> (statuses: [KeyStatus], payloads: [[UInt8]?]) {
        let arguments: [RedisArgument] =
            [.integer(Int64(keys.count))] + keys.map { .text($0.text) } + [
                .integer(held ?? -2), .integer(Int64(Self.inlineReadBytes)),
            ]
        let reply = try await run(
            RefreshScripts.read, in: space, arguments, deadline: deadlines.read)
        let load = try QueueLoad(reply, partition: told(space))
        var statuses: [KeyStatus] = []
        var payloads: [[UInt8]?] = []
        for (index, key) in keys.enumerated() {
            let answer = try reply.sub(QueueLoad.width + index)
            statuses.append(
                Self.status(
                    of: key, try answer.sub(0).record, rank: try answer.int(1),
                    score: Self.score(answer), average: try answer.average(2), load))
            payloads.append(answer.count > 3 ? answer.items[3].bytes : nil)
        }
        return (statuses, payloads)
    }

    private static func score(_ answer: Reply) -> Double? {
        answer.count > 4 ? answer.items[4].text.flatMap { Double($0) } : nil
    }

    private static func status(
        of key: Key, _ record: Record, rank: Int, score: Double?, average: Duration?,
        _ load: QueueLoad
    ) -> KeyStatus {
        var status = KeyStatus(key: key, now: load.now)
        status.payload = record.payload(at: load.now)
        status.version = record.version
        status.lastRefresh = record.time("lr")
        status.lastDuration = record.integer("ld").map { .milliseconds($0) }
        status.error = record.text("err")
        status.consecutiveFailures = Int(record.integer("cf") ?? 0)
        status.sourceOnline = record.text("on") != "0"
        // A job without its place is not under way: a set was evicted, or changed by hand. Shown as
        // idle, the key is asked for by the next stale read or schedule, and that mends it.
        guard rank != Self.unplaced else { return status }
        status.state = record.state
        guard let place = record.text("st"), let run = record.integer("run"),
            "qdtrf".contains(place)
        else { return status }
        var job = Job(
            id: JobID(run: run, key: key), state: JobState(place: place),
            priority: score.map { Record.priority(score: $0) } ?? record.priority)
        job.attempt = Int(record.integer("att") ?? 0)
        job.progress = record.progress
        job.worker = record.text("w")
        job.startedAt = record.time("ls")
        job.runAt = record.time("ra")
        if let started = job.startedAt {
            job.duration =
                job.state == .running ? max(.zero, load.now - started) : status.lastDuration
        }
        if job.state == .dead || record.text("jf") != nil { job.error = status.error }
        if job.state == .dead {
            job.finishedAt = record.time("le")
        } else {
            load.place(&job, rank: rank, average: average)
        }
        status.job = job
        return status
    }

    /// See `RefreshStore.job`: the key's live job or rerun, or the ended one's record.
    public func job(_ id: JobID) async throws(RefreshError) -> Job? {
        let space = space(of: id.key)
        let reply = try await run(
            RefreshScripts.read, in: space,
            ["1", .text(id.key.text), "-2", "0"], deadline: deadlines.read)
        let load = try QueueLoad(reply, partition: told(space))
        let answer = try reply.sub(QueueLoad.width)
        let record = try answer.sub(0).record
        let status = Self.status(
            of: id.key, record, rank: max(-1, try answer.int(1)), score: Self.score(answer),
            average: try answer.average(2), load)
        if let job = status.job, job.id == id { return job }
        if record.integer("ar") == id.run {
            var job = Job(
                id: id, state: .queued,
                priority: record.integer("ap").flatMap { Priority(rawValue: Int($0)) } ?? .normal)
            job.isRerun = true
            job.queueDepth = load.waiting
            job.partition = load.partition
            job.estimatedRemaining = Estimate.remaining(
                ofRerunAfter: status.job, average: try answer.average(2), overall: load.average)
            return job
        }
        let name = space.job("\(id.run)-\(id.key.text)")
        let ended = try await send(["GET", .text(name)], routing: name)
        return ended.value.text.flatMap { EndedJob.decode($0, id: id) }
    }

    /// See `RefreshStore.statistics`.
    public func statistics() async throws(RefreshError) -> [ResourceName: RefreshStatistics] {
        var all: [ResourceName: RefreshStatistics] = [:]
        for space in spaces {
            let reply = try await send(
                ["HGETALL", .text(space.statistics)], routing: space.statistics)
            for (name, value) in reply.record.fields {
                guard let colon = name.lastIndex(of: ":"),
                    let resource = ResourceName(String(name[..<colon])), let number = Int(value)
                else { continue }
                all[resource, default: RefreshStatistics()].add(
                    number, as: name[name.index(after: colon)...])
            }
            for resource in all.keys {
                let name = space.read(resource: resource.text)
                let active = try await send(["ZCARD", .text(name)], routing: name)
                all[resource]?.activeKeys += Int(active.value.int ?? 0)
            }
        }
        return all
    }
}

extension RefreshStatistics {
    /// Adds a counter of one partition under its name in the statistics hash.
    mutating func add(_ number: Int, as name: Substring) {
        switch name {
        case "ok":
            successfulRefreshes += number
            totalRefreshes += number
        case "fail":
            failedRefreshes += number
            totalRefreshes += number
        case "dur": totalDuration += .milliseconds(number)
        case "last":
            let time = Timestamp(milliseconds: Int64(number))
            lastRefresh = lastRefresh.map { max($0, time) } ?? time
        case "bytes": sourceBytes += number
        case "hits": hits += number
        case "miss": misses += number
        case "stale": staleHits += number
        default: break
        }
    }
}

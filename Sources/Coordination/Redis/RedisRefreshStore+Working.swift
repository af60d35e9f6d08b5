internal import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// Payloads with more stored bytes than this travel apart from the script that publishes them.
    static var inlineBytes: Int { 64 << 10 }

    /// See `RefreshStore.claim`. Script `claim`.
    public func claim(_ request: ClaimRequest) async throws(RefreshError) -> ClaimBatch {
        let reply = try await run(
            RefreshScripts.claim, in: spaces[request.partition], Self.arguments(request))
        return try Self.batch(reply)
    }

    static func arguments(_ request: ClaimRequest) -> [RedisArgument] {
        var arguments: [RedisArgument] = [
            .text(request.worker),
            .integer(Int64(min(max(0, request.limit), Limits.scriptMembers))),
            .integer(request.lease.milliseconds),
            .integer(Int64(request.maximumConcurrent ?? -1)), .text(Nonce.random()),
        ]
        for (resource, lease) in request.leases where lease != request.lease {
            arguments += [.text(resource.text), .integer(lease.milliseconds)]
        }
        return arguments
    }

    static func batch(_ reply: Reply) throws(RefreshError) -> ClaimBatch {
        var batch = ClaimBatch()
        let now = try reply.time(0)
        batch.waiting = try reply.int(1)
        let untilNext = try reply.integer(2)
        batch.untilNextDue = untilNext < 0 ? nil : .milliseconds(untilNext)
        batch.isPaused = try reply.int(3) == 1
        for index in 4..<max(4, reply.count) {
            let item = try reply.sub(index)
            let record = try item.sub(7).record
            guard let key = Key(try item.text(0)) else {
                // Placed from outside under a name that is no key: nobody can work on it.
                continue
            }
            let run = try item.integer(1)
            batch.claims.append(
                Claim(
                    jobID: JobID(run: run, key: key), fence: try item.integer(2),
                    nonce: try item.text(3), attempt: try item.int(4), scope: record.scope,
                    priority: Record.priority(score: Double(try item.text(6)) ?? 0),
                    lease: .milliseconds(try item.integer(5)), claimedAt: now,
                    readyAt: record.time("rdy") ?? Timestamp(milliseconds: run / 1000),
                    previous: record.payload(at: now), traceparent: record.text("tp")))
        }
        return batch
    }

    /// See `RefreshStore.heartbeat`. Script `heartbeat`, 100 leases of a partition a call.
    public func heartbeat(_ heartbeats: [Heartbeat]) async throws(RefreshError) -> [Bool] {
        var held = [Bool](repeating: false, count: heartbeats.count)
        var queues: [[Int]] = Array(repeating: [], count: partitions)
        for (index, beat) in heartbeats.enumerated() {
            queues[beat.claim.key.partition(of: partitions)].append(index)
        }
        for (partition, indices) in queues.enumerated() {
            for start in stride(from: 0, to: indices.count, by: Limits.scriptMembers) {
                let slice = indices[start..<min(start + Limits.scriptMembers, indices.count)]
                var arguments: [RedisArgument] = []
                for beat in slice.map({ heartbeats[$0] }) {
                    arguments += Self.token(beat.claim)
                    arguments += [
                        .integer(beat.claim.lease.milliseconds),
                        .text(beat.progress.map { ProgressCoding.encode($0) } ?? ""),
                    ]
                }
                let reply = try await run(
                    RefreshScripts.heartbeat, in: spaces[partition], arguments)
                for (place, index) in slice.enumerated() {
                    held[index] = try reply.int(place) == 1
                }
            }
        }
        return held
    }

    /// Key, fence and nonce, as every script that settles a claim takes them.
    private static func token(_ claim: Claim) -> [RedisArgument] {
        [.text(claim.key.text), .integer(claim.fence), .text(claim.nonce)]
    }

    /// See `RefreshStore.publish`. Script `publish`, and `claim` behind it in the same write; what
    /// ends at the same time shares both.
    ///
    /// More than `inlineBytes` travel first, on the bulk connection, to a key of this claim that
    /// ends by itself; the script then renames it, so that Redis is not held up by the copy.
    public func publish(
        _ publication: Publication, claimNext next: ClaimRequest?
    ) async throws(RefreshError) -> (outcome: PublicationOutcome, next: ClaimBatch) {
        let claim = publication.claim
        let space = space(of: claim.key)
        var kind = "r"
        var body = RedisArgument.text("")
        var payload = Payload(bytes: [], contentType: "")
        if case .payload(let content) = publication.content {
            payload = content
            kind = "p"
            body = .bytes(content.bytes)
            if content.bytes.count > Self.inlineBytes {
                kind = "s"
                let staged = space.staged(claim.key.text, nonce: claim.nonce)
                try await stage(content.bytes, at: staged)
                body = .text(staged)
            }
        }
        let facts = payload.facts
        let arguments: [RedisArgument] =
            Self.token(claim) + [
                .text(kind), .text(payload.contentType), .text(payload.encoding.rawValue),
                .integer(Int64(payload.bytes.count)), .integer(Int64(facts.sizeBytes)),
                Self.optional(facts.itemCount), Self.optional(facts.collectionsCount),
                Self.optional(facts.fileCount), .text(facts.contentTag),
                .text(facts.sourceETag ?? ""), .text(facts.sourceLastModified ?? ""),
                .integer(publication.freshMilliseconds),
                .integer(publication.keepFor?.milliseconds ?? -1),
                .integer(publication.keepJobs.milliseconds), body,
                .integer(Int64(publication.maximumVariants)),
            ]
        let answer = try await publishGroups[space.partition].submit(
            PublishItem(arguments: arguments, next: next), weight: body.byteCount)
        return (answer.outcome, answer.next)
    }

    private func stage(_ bytes: [UInt8], at key: String) async throws(RefreshError) {
        do {
            _ = try await bulk.send(
                ["SET", .text(key), .bytes(bytes), "PX", "60000"], routingKey: key,
                deadline: deadlines.bulk)
        } catch {
            throw client.failure(error)
        }
    }

    private static func optional(_ number: Int?) -> RedisArgument {
        number.map { .integer(Int64($0)) } ?? .text("")
    }

    static func publication(_ reply: Reply) throws(RefreshError) -> PublicationOutcome {
        switch try reply.text(0) {
        case "published": .published(version: try reply.integer(1))
        case "unrenewable": .nothingToRenew
        case "lost": .leaseLost
        case "unstaged":
            throw RefreshError(.corrupt, "the staged payload is gone", effect: .none)
        default: throw try reply.broken()
        }
    }

    /// See `RefreshStore.fail`. Script `fail`.
    public func fail(_ failure: AttemptFailure) async throws(RefreshError) -> FailureOutcome {
        let error = Limits.cut(failure.error, toLast: true, bytes: Limits.errorLength)
        let reply = try await run(
            RefreshScripts.fail, in: space(of: failure.claim.key),
            Self.token(failure.claim) + [
                .integer(failure.retryAfter?.milliseconds ?? -1), .text(error),
                failure.sourceOnline ? "1" : "0", .integer(failure.keepJobs.milliseconds),
            ])
        switch try reply.text(0) {
        case "retrying": return .retrying(at: try reply.time(1))
        case "dead": return .dead
        default: return .leaseLost
        }
    }

    /// See `RefreshStore.handBack`. Script `hand_back`.
    public func handBack(
        _ claim: Claim, delay: Duration, isSourceAway: Bool
    ) async throws(RefreshError) -> Bool {
        let reply = try await run(
            RefreshScripts.handBack, in: space(of: claim.key),
            Self.token(claim) + [.integer(delay.milliseconds), isSourceAway ? "0" : "1"])
        return reply.value.int == 1
    }

    /// See `RefreshStore.release`. Script `release`.
    public func release(_ claim: Claim) async throws(RefreshError) {
        _ = try await run(
            RefreshScripts.release, in: space(of: claim.key),
            [.text(claim.key.text), .text(claim.nonce)])
    }

    /// See `RefreshStore.announce`. Script `announce`, in every partition.
    public func announce(
        _ worker: WorkerPresence, timeout: Duration
    ) async throws(RefreshError) {
        for space in spaces {
            _ = try await run(
                RefreshScripts.announce, in: space,
                [
                    .text(worker.id), .integer(Int64(worker.capacity)),
                    .integer(Int64(worker.running)), .text(worker.version),
                    .integer(timeout.milliseconds),
                ])
        }
    }

    /// See `RefreshStore.withdraw`. Script `announce` with no time left.
    public func withdraw(worker id: String) async throws(RefreshError) {
        for space in spaces {
            _ = try await run(
                RefreshScripts.announce, in: space, [.text(id), "0", "0", "", "-1"])
        }
    }
}

extension Publication {
    /// Milliseconds it is fresh; 0: stale at once, -1: never stale.
    var freshMilliseconds: Int64 {
        switch freshFor {
        case .duration(let duration): max(0, duration.milliseconds)
        case .never: -1
        case .always: 0
        }
    }
}

/// Random per claim.
enum Nonce {
    /// 64 random bits in hexadecimal.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 16)
    }
}

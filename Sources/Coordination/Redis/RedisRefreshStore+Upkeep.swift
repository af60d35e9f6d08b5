public import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// See `RefreshStore.maintain`. Script `maintain`.
    public func maintain(
        partition: Int, keepJobs: Duration, atMostEvery interval: Duration
    ) async throws(RefreshError) -> MaintenanceReport {
        let reply = try await run(
            RefreshScripts.maintain, in: spaces[partition],
            [.integer(keepJobs.milliseconds), .integer(interval.milliseconds)])
        var report = MaintenanceReport()
        report.promoted = try reply.int(0)
        report.repaired = try reply.int(1)
        report.reaped = try reply.sub(2).items.compactMap { EndedJob.id(member: $0.text ?? "") }
        report.dead = try reply.sub(3).items.compactMap { EndedJob.id(member: $0.text ?? "") }
        return report
    }

    /// See `RefreshStore.staleKeys`. Script `stale_keys`, partition by partition.
    public func staleKeys(
        limit: Int, activeWindow: Duration, coolDown: Duration
    ) async throws(RefreshError) -> (keys: [(key: Key, version: Int64)], looked: Int) {
        var found: [(key: Key, version: Int64, since: Int64)] = []
        var looked = 0
        for space in spaces {
            let reply = try await run(
                RefreshScripts.staleKeys, in: space,
                [
                    .integer(Int64(limit)), .integer(activeWindow.milliseconds),
                    .integer(coolDown.milliseconds),
                ])
            looked += try reply.int(0)
            for index in stride(from: 1, to: reply.count, by: 3) {
                guard let key = Key(try reply.text(index)) else { continue }
                found.append((key, try reply.integer(index + 1), try reply.integer(index + 2)))
            }
        }
        found.sort { $0.since < $1.since }
        return (found.prefix(limit).map { ($0.key, $0.version) }, looked)
    }

    /// See `RefreshStore.recordReads`. Script `record_reads`, 100 keys of a partition a call.
    public func recordReads(
        _ keys: [Key], counts: [ResourceName: ReadCounts]
    ) async throws(RefreshError) {
        var queues: [[Key]] = Array(repeating: [], count: partitions)
        for key in keys { queues[key.partition(of: partitions)].append(key) }
        var tail: [RedisArgument] = []
        for (resource, count) in counts {
            tail += [
                .text(resource.text), .integer(Int64(count.hits)), .integer(Int64(count.misses)),
                .integer(Int64(count.staleHits)),
            ]
        }
        for (partition, queue) in queues.enumerated() {
            var rest = queue[...]
            // The first partition carries the counters.
            while !rest.isEmpty || !tail.isEmpty {
                let slice = rest.prefix(Limits.scriptMembers)
                rest = rest.dropFirst(Limits.scriptMembers)
                _ = try await run(
                    RefreshScripts.recordReads, in: spaces[partition],
                    [.integer(Int64(slice.count))] + slice.map { .text($0.text) } + tail)
                tail = []
            }
        }
    }

    /// See `RefreshStore.lead`. Script `lead`; the first partition knows the leader.
    public func lead(_ candidate: String, lease: Duration) async throws(RefreshError) -> Bool {
        let reply = try await run(
            RefreshScripts.lead, in: spaces[0],
            [.text(candidate), .integer(lease.milliseconds)])
        return reply.value.int == 1
    }

    /// See `RefreshStore.resign`. Script `lead`.
    public func resign(_ candidate: String) async throws(RefreshError) {
        _ = try await run(RefreshScripts.lead, in: spaces[0], [.text(candidate), "-1"])
    }

    /// See `RefreshStore.fire`. Script `fire`; the first partition knows the schedules.
    public func fire(
        _ resource: ResourceName, slot: Timestamp
    ) async throws(RefreshError) -> Bool {
        let reply = try await run(
            RefreshScripts.fire, in: spaces[0],
            [.text(resource.text), .integer(slot.milliseconds)])
        return reply.value.int == 1
    }

    /// See `RefreshStore.lastFired`.
    public func lastFired(_ resource: ResourceName) async throws(RefreshError) -> Timestamp? {
        let key = spaces[0].schedules
        let reply = try await send(["HGET", .text(key), .text(resource.text)], routing: key)
        return reply.value.int.map { Timestamp(milliseconds: $0) }
    }

    /// See `RefreshStore.now`.
    public func now() async throws(RefreshError) -> Timestamp {
        let reply = try await run(RefreshScripts.read, in: spaces[0], ["0", "-2", "0"])
        return try reply.time(0)
    }
}

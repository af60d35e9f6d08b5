public import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// See `RefreshStore.feed`. One subscription per process serves all feeds.
    public func feed() -> AsyncStream<FeedItem> { hub.feed() }

    /// See `RefreshStore.cancellations`.
    public func cancellations() -> AsyncStream<String> { hub.cancellations() }

    /// See `RefreshStore.waitForWork`. Blocks on the wake-up keys of all partitions; a reply that
    /// is a second late means a dead socket, which the connection then discards.
    public func waitForWork(timeout: Duration) async throws(RefreshError) {
        let seconds = max(0.01, min(timeout.inSeconds, 5))
        guard wakers.count > 1 else {
            return try await Self.block(wakers[0], on: spaces.map(\.wake), seconds: seconds)
        }
        // In a Cluster: whichever wakes first. The others' blocks end by themselves.
        let outcome = await withTaskGroup(of: RefreshError?.self) { group in
            for (waker, space) in zip(wakers, spaces) {
                group.addTask {
                    do throws(RefreshError) {
                        try await Self.block(waker, on: [space.wake], seconds: seconds)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let outcome { throw outcome }
    }

    private static func block(
        _ waker: RedisConnection, on keys: [String], seconds: Double
    ) async throws(RefreshError) {
        do {
            _ = try await waker.send(
                ["BLPOP"] + keys.map { .text($0) } + [.text("\(seconds)")],
                deadline: .milliseconds(Int64(seconds * 1000) + 1000))
        } catch {
            throw RefreshError(error)
        }
    }

    /// See `RefreshStore.events`.
    public func events(
        after id: EventID, limit: Int
    ) async throws(RefreshError) -> [RefreshEvent]? {
        guard spaces.indices.contains(id.partition) else { return nil }
        let stream = spaces[id.partition].events
        let position = "\(id.epoch)-\(id.sequence)"
        // The entry of `id` itself is read too: when it is gone, something after it may be.
        let reply = try await send(
            [
                "XRANGE", .text(stream), .text(position), "+", "COUNT", .integer(Int64(limit) + 1),
            ], routing: stream, deadline: deadlines.write)
        var entries: [EventEntry] = []
        for item in reply.items {
            let entry = Reply(item)
            let body = try entry.sub(1).record.text("e") ?? ""
            if let decoded = EventEntry(
                id: try entry.text(0), body: body, partition: id.partition)
            {
                entries.append(decoded)
            }
        }
        // The beginning: nothing is gone as long as the first entry of the log is there.
        if id.epoch == 0, id.sequence == 0, entries.first.map({ $0.sequence == 1 }) ?? true {
            return entries.flatMap(\.events).prefix(limit).map { $0 }
        }
        guard let first = entries.first, first.epoch == id.epoch, first.sequence == id.sequence
        else { return nil }
        return entries.flatMap(\.events).filter { $0.id > id }.prefix(limit).map { $0 }
    }

    /// See `RefreshStore.latestEvents`.
    public func latestEvents() async throws(RefreshError) -> [EventID] {
        var latest: [EventID] = []
        for space in spaces {
            let reply = try await send(
                ["XREVRANGE", .text(space.events), "+", "-", "COUNT", "1"], routing: space.events)
            guard let item = reply.items.first,
                let id = EventEntry(
                    id: try Reply(item).text(0), body: "0", partition: space.partition)
            else {
                latest.append(EventID(partition: space.partition, epoch: 0, sequence: 0))
                continue
            }
            // An index past every event of the entry: all of it has happened.
            latest.append(
                EventID(
                    partition: space.partition, epoch: id.epoch, sequence: id.sequence,
                    index: Int(Int32.max)))
        }
        return latest
    }
}

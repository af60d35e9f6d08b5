internal import FoundationEssentials
public import FreshetModel
internal import Redis

/// Where a listing stands: partition, place within it, score and member of the last element.
struct ListCursor {
    var partition = 0
    var place = 0
    var score = ""
    var member = ""
    /// The row after `member` of which the first element was told and the second, a rerun, was not;
    /// empty: none.
    var half = ""

    /// URL-safe text; opaque to clients.
    var text: String {
        let encoded = Data(JSONText.encode([score, member, half]).utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return "\(partition).\(place).\(encoded)"
    }

    init() {}

    /// Moves to the beginning of a place.
    mutating func begin(partition: Int, place: Int) {
        self.partition = partition
        self.place = place
        score = ""
        member = ""
        half = ""
    }

    /// Reads a cursor; the beginning for `nil` and for what is not one of ours.
    init(_ text: String?) {
        guard let parts = text?.split(separator: "."), parts.count == 3,
            let partition = Int(parts[0]), let place = Int(parts[1]), partition >= 0, place >= 0
        else { return }
        var encoded = parts[2].replacing("-", with: "+").replacing("_", with: "/")
        while encoded.count % 4 != 0 { encoded += "=" }
        guard let data = Data(base64Encoded: String(encoded)),
            let pair = JSONText.decode([String].self, String(decoding: data, as: UTF8.self)),
            pair.count == 3
        else { return }
        self.partition = partition
        self.place = place
        score = pair[0]
        member = pair[1]
        half = pair[2]
    }
}

extension RedisRefreshStore {
    /// See `RefreshStore.keys`: what has a payload by name, then what has only a job.
    public func keys(cursor: String?, limit: Int) async throws(RefreshError) -> Page<Key> {
        try await page(
            [.index, .waiting, .delayed, .leased], cursor: cursor, limit: limit
        ) { place, row in
            // With a payload it was listed by its name already.
            (place == .index || row[3] == "0" ? Key(row[0]) : nil).map { [$0] } ?? []
        }
    }

    /// See `RefreshStore.jobs`.
    public func jobs(
        states: Set<JobState>, cursor: String?, limit: Int
    ) async throws(RefreshError) -> Page<Job> {
        let wanted = states.isEmpty ? Set(JobState.allCases) : states
        let isQueuedWanted = wanted.contains(.queued)
        var places: [KeySpace.Place] = []
        // Reruns are queued jobs behind jobs of any place.
        if wanted.contains(.running) || isQueuedWanted { places.append(.leased) }
        if isQueuedWanted { places.append(.waiting) }
        if isQueuedWanted || wanted.contains(.retrying) { places.append(.delayed) }
        if wanted.contains(where: \.isEnded) {
            places.append(wanted == [.dead] ? .dead : .ended)
        }
        let rows = try await page(places, cursor: cursor, limit: limit) {
            (place, row) -> [Row] in
            if place == .ended {
                guard let id = EndedJob.id(member: row[0]),
                    let job = EndedJob.decode(row[2], id: id), wanted.contains(job.state)
                else { return [] }
                return [.ended(job)]
            }
            guard let key = Key(row[0]) else { return [] }
            var found: [Row] = []
            if wanted.contains(JobState(place: row[2])) { found.append(.live(key)) }
            if isQueuedWanted, place != .dead, let run = Int64(row[4]) {
                found.append(.rerun(JobID(run: run, key: key)))
            }
            return found
        }
        let live = rows.items.compactMap { row -> Key? in
            if case .live(let key) = row { return key }
            return nil
        }
        var statuses = try await statuses(live).makeIterator()
        var jobs: [Job] = []
        for row in rows.items {
            switch row {
            case .ended(let job): jobs.append(job)
            case .live: if let job = statuses.next()?.job { jobs.append(job) }
            // Few at any time: a rerun follows a running job that somebody forced once more.
            case .rerun(let id): if let job = try await job(id) { jobs.append(job) }
            }
        }
        return Page(items: jobs.filter { wanted.contains($0.state) }, nextCursor: rows.nextCursor)
    }

    private enum Row {
        case live(Key)
        case rerun(JobID)
        case ended(Job)
    }

    /// Pages through `places` of all partitions, one after the other. `transform` makes up to two
    /// elements of a row; rows that it drops do not count. Script `list`.
    private func page<Element: Sendable>(
        _ places: [KeySpace.Place], cursor: String?, limit: Int,
        _ transform: (KeySpace.Place, [String]) -> [Element]
    ) async throws(RefreshError) -> Page<Element> {
        var at = ListCursor(cursor)
        var found: [Element] = []
        while at.partition < partitions {
            guard at.place < places.count else {
                at.begin(partition: at.partition + 1, place: 0)
                continue
            }
            let rows = try await rows(
                places[at.place], at, limit: min(limit - found.count + 1, 1001))
            for row in rows {
                if found.count == limit { return Page(items: found, nextCursor: at.text) }
                var elements = transform(places[at.place], row)[...]
                if row[0] == at.half, elements.count > 1 { elements.removeFirst() }
                if found.count + elements.count > limit {
                    at.half = row[0]
                    return Page(items: found + elements.prefix(1), nextCursor: at.text)
                }
                at.half = ""
                at.member = row[0]
                at.score = row.count > 1 ? row[1] : ""
                found += elements
            }
            if rows.isEmpty { at.begin(partition: at.partition, place: at.place + 1) }
        }
        return Page(items: found)
    }

    private func rows(
        _ place: KeySpace.Place, _ at: ListCursor, limit: Int
    ) async throws(RefreshError) -> [[String]] {
        let reply = try await run(
            RefreshScripts.list, in: spaces[at.partition],
            [.text(place.rawValue), .text(at.score), .text(at.member), .integer(Int64(limit))],
            deadline: deadlines.write)
        let width =
            switch place {
            case .index: 1
            case .ended: 3
            default: 5
            }
        let texts = reply.items.map { $0.text ?? "" }
        return stride(from: 0, to: texts.count - width + 1, by: width).map {
            Array(texts[$0..<$0 + width])
        }
    }

    /// See `RefreshStore.queue`. Script `queue`, summed over the partitions.
    public func queue() async throws(RefreshError) -> QueueStatus {
        var status = QueueStatus()
        var workers: [String: WorkerPresence] = [:]
        for space in spaces {
            let reply = try await run(
                RefreshScripts.queue, in: space, [], deadline: deadlines.read)
            let now = try reply.time(0)
            for priority in Priority.allCases {
                status.waitingByPriority[priority, default: 0] += try reply.int(
                    1 + priority.rawValue)
            }
            status.running += try reply.int(4)
            status.delayed += try reply.int(5)
            status.dead += try reply.int(6)
            status.isPaused = try reply.int(7) == 1 || status.isPaused
            if reply.count > 10, let ready = reply.items[10].int {
                let age = max(.zero, now - Timestamp(milliseconds: ready))
                status.oldestWaiting = max(status.oldestWaiting ?? .zero, age)
            }
            status.completedPerSecond += Double(try reply.int(11)) / 60
            for (id, line) in try reply.sub(12).record.fields {
                if let worker = WorkerPresence(id: id, line: line, now: now) {
                    workers[id] = worker
                }
            }
        }
        status.workers = workers.values.sorted { $0.id < $1.id }
        return status
    }
}

extension WorkerPresence {
    /// Reads `capacity running last_seen deadline version`; `nil` when its time is over.
    init?(id: String, line: String, now: Timestamp) {
        let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, let capacity = Int(words[0]), let running = Int(words[1]),
            let seen = Int64(words[2]), let deadline = Int64(words[3]),
            deadline >= now.milliseconds
        else { return nil }
        self.init(id: id, capacity: capacity, running: running, version: String(words[4]))
        lastSeen = Timestamp(milliseconds: seen)
    }
}

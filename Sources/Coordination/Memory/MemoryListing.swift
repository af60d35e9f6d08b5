internal import FreshetModel

/// Listings over all partitions: one long, ordered row of positions, of which a page is a piece.
///
/// A cursor is the position of the last element told, so that what comes and goes meanwhile neither
/// repeats nor hides what stays.
struct MemoryListing {
    let states: [MemoryState]
    let now: Timestamp

    /// Where an element stands in a listing.
    struct Position: Comparable {
        var partition = 0
        /// Running, waiting, delayed, ended or dead; 0 for keys.
        var place = 0
        var major: Int64 = 0
        var minor: Int64 = 0
        var member = ""
        /// The rerun of the job that stands here.
        var isRerun = false

        static func < (left: Position, right: Position) -> Bool {
            let one = (left.partition, left.place, left.major, left.minor)
            let two = (right.partition, right.place, right.major, right.minor)
            guard one == two else { return one < two }
            guard left.member == right.member else { return left.member < right.member }
            return !left.isRerun && right.isRerun
        }

        init(partition: Int, place: Int, major: Int64, minor: Int64 = 0, member: String) {
            self.partition = partition
            self.place = place
            self.major = major
            self.minor = minor
            self.member = member
        }

        /// Reads what `text` writes; `nil` when it is not that.
        init?(_ text: String) {
            let parts = text.split(separator: "~", maxSplits: 5, omittingEmptySubsequences: false)
            guard parts.count == 6, let partition = Int(parts[0]), let place = Int(parts[1]),
                let major = Int64(parts[2]), let minor = Int64(parts[3]),
                let member = PercentEncoding.decode(String(parts[5]))
            else { return nil }
            self.init(
                partition: partition, place: place, major: major, minor: minor, member: member)
            isRerun = parts[4] == "1"
        }

        var text: String {
            "\(partition)~\(place)~\(major)~\(minor)~\(isRerun ? 1 : 0)~"
                + PercentEncoding.encode(member)
        }
    }

    /// See `RefreshStore.keys`: by partition and name.
    func keys(cursor: String?, limit: Int) -> Page<Key> {
        let rows = states.flatMap { state in
            state.records.compactMap { key, record -> (Position, Key)? in
                guard record.metadata != nil || record.isUnderWay else { return nil }
                return (
                    Position(partition: state.partition, place: 0, major: 0, member: key.text), key
                )
            }
        }
        return Self.page(rows, cursor: cursor, limit: limit)
    }

    /// See `RefreshStore.jobs`: running by deadline, waiting in queue order, delayed and retrying
    /// by time, each followed by its rerun, ended ones latest first; partition by partition.
    func jobs(states wanted: Set<JobState>, cursor: String?, limit: Int) -> Page<Job> {
        let wanted = wanted.isEmpty ? Set(JobState.allCases) : wanted
        let rows = states.flatMap { state in
            live(state).filter { wanted.contains($0.1.state) }
                + (wanted == [.dead] ? dead(state) : ended(state, wanted))
        }
        return Self.page(rows, cursor: cursor, limit: limit)
    }

    private func live(_ state: MemoryState) -> [(Position, Job)] {
        state.records.flatMap { key, record -> [(Position, Job)] in
            guard record.isUnderWay, let job = state.job(of: key, at: now), let live = record.job
            else { return [] }
            var position = Position(
                partition: state.partition, place: 0, major: 0, member: key.text)
            switch record.phase {
            case .idle, .dead: return []
            case .leased(let lease): position.major = lease.deadline.milliseconds
            case .waiting:
                position.place = 1
                position.major = Int64(live.priority.rawValue)
                position.minor = live.sequence ?? 0
            case .delayed(let until), .retrying(let until):
                position.place = 2
                position.major = until.milliseconds
            }
            guard let rerun = record.rerun else { return [(position, job)] }
            var behind = position
            behind.isRerun = true
            return [(position, job), (behind, state.job(rerun, of: key, at: now))]
        }
    }

    private func ended(
        _ state: MemoryState, _ wanted: Set<JobState>
    ) -> [(Position, Job)] {
        state.ended.elements.compactMap { element in
            guard let ended = state.endedJobs[element.member], now < ended.until,
                wanted.contains(ended.job.state)
            else { return nil }
            let position = Position(
                partition: state.partition, place: 3, major: -element.score.milliseconds,
                minor: -ended.job.id.run, member: ended.job.id.key.text)
            return (position, ended.job)
        }
    }

    /// The dead letters: they outlive `keepJobs`.
    private func dead(_ state: MemoryState) -> [(Position, Job)] {
        state.dead.elements.compactMap { element in
            guard let job = state.job(of: element.member, at: now) else { return nil }
            let position = Position(
                partition: state.partition, place: 4, major: -element.score.milliseconds,
                member: element.member.text)
            return (position, job)
        }
    }

    private static func page<Element: Sendable>(
        _ rows: [(Position, Element)], cursor: String?, limit: Int
    ) -> Page<Element> {
        let start = cursor.flatMap { Position($0) }
        let rest = rows.filter { row in start.map { $0 < row.0 } ?? true }
            .sorted { $0.0 < $1.0 }
        let items = rest.prefix(max(1, limit))
        let isLast = items.count == rest.count
        return Page(
            items: items.map(\.1), nextCursor: isLast ? nil : items.last.map { $0.0.text })
    }
}

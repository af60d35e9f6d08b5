import Glibc
import Synchronization

/// What clients saw of a fleet, from outside: every accepted ask, every version shown and every
/// event. `violations` holds it against what is promised (docs/guarantees.md).
final class History: Sendable {
    /// A 202. Times are nanoseconds of the wall clock, here and below.
    struct Ask: Sendable {
        var key: String
        var job: String
        /// `started`, `queued` or `running`.
        var status: String
        var sent: Int64
        var answered: Int64
    }

    /// A process showed a version of a key.
    struct Sight: Sendable {
        enum Kind: Sendable {
            case read
            case status
            /// By an event, which may be old when it arrives: it binds what is shown after it.
            case told
        }
        var kind: Kind
        var process: Int
        var key: String
        var version: Int
        /// When the run began that made the payload; reads tell it.
        var load: Int64?
        var sent: Int64
        var answered: Int64
    }

    /// An event on one stream.
    struct Event: Sendable {
        var stream: String
        var type: String
        var key: String
        var job: String?
        var version: Int
        /// The same payload was found to be right still.
        var isRenewal = false
    }

    /// Any other answer: a status with its code, or none when the connection broke.
    struct Refusal: Sendable, Equatable {
        var process: Int
        var path: String
        var status: Int?
        var code: String?
        /// Why there is no answer.
        var failure: String?
        var sent: Int64
        var answered: Int64
    }

    /// How an accepted job ended, asked for when all is quiet; `nil` where it is unknown.
    typealias Endings = [String: String]

    struct Records: Sendable {
        var outages: [ClosedRange<Int64>] = []
        var asks: [Ask] = []
        var sights: [Sight] = []
        var events: [Event] = []
        var refusals: [Refusal] = []
    }

    private let all = Mutex(Records())

    var records: Records { all.withLock { $0 } }

    func add(_ ask: Ask) { all.withLock { $0.asks.append(ask) } }
    func add(_ sight: Sight) { all.withLock { $0.sights.append(sight) } }
    func add(_ event: Event) { all.withLock { $0.events.append(event) } }
    /// Redis could not be reached in that time, and processes may have needed a second more.
    func add(outage: ClosedRange<Int64>) {
        all.withLock {
            $0.outages.append(outage.lowerBound...outage.upperBound + 1_000_000_000)
        }
    }
    func add(_ refusal: Refusal) { all.withLock { $0.refusals.append(refusal) } }

    static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Everything that breaks a promise, in words; empty when all were kept.
    ///
    /// - Parameters:
    ///   - endings: State of each job that was accepted.
    ///   - runs: Of the source, all of them.
    ///   - wipe: When Redis lost all its data, if it did: jobs accepted before may be gone, and a
    ///     status knows of no version until the next publication.
    func violations(
        endings: Endings, runs: [CountedSource.Run], wipe: Int64? = nil
    ) -> [String] {
        var records = records
        if let wipe {
            records.sights.removeAll {
                $0.kind == .status && $0.version == 0 && $0.answered > wipe
            }
        }
        return records.lostAsks(endings, runs, wipe ?? 0) + records.doublePublications()
            + records.fallingVersions() + records.olderPayloads()
    }
}

extension History.Records {
    /// Nothing acknowledged is lost, and a job that succeeds loaded after it was asked for, unless
    /// the asker was told that it was running already.
    func lostAsks(
        _ endings: History.Endings, _ runs: [CountedSource.Run], _ wipe: Int64
    ) -> [String] {
        let lastLoad = runs.reduce(into: [String: Int64]()) {
            $0[$1.job] = Swift.max($0[$1.job] ?? 0, $1.start)
        }
        return asks.filter { $0.sent > wipe }.compactMap { ask in
            guard let state = endings[ask.job] else { return "\(ask.job) is lost" }
            guard ["succeeded", "dead", "cancelled"].contains(state) else {
                return "\(ask.job) is still \(state)"
            }
            guard state == "succeeded", ask.status != "running" else { return nil }
            guard let load = lastLoad[ask.job] else { return "\(ask.job) never ran" }
            return load >= ask.sent ? nil : "\(ask.job) loaded before it was asked for"
        }
    }

    /// A job publishes once, a version comes from one job, and a job ends once on a stream.
    func doublePublications() -> [String] {
        var found: [String] = []
        var versions: [String: Int] = [:]
        var jobs: [String: String] = [:]
        var ends: Set<String> = []
        for event in events {
            guard let job = event.job else { continue }
            if ["updated", "failed", "cancelled"].contains(event.type),
                !ends.insert("\(event.stream) \(job)").inserted
            {
                found.append("\(job) ended twice on \(event.stream)")
            }
            guard event.type == "updated", !event.isRenewal else { continue }
            let version = "\(event.key) \(event.version)"
            if let other = versions[job], other != event.version {
                found.append("\(job) published \(other) and \(event.version)")
            }
            if let other = jobs[version], other != job {
                found.append("\(version) was published by \(other) and \(job)")
            }
            versions[job] = event.version
            jobs[version] = job
        }
        return found
    }

    /// On one process, what is asked for after an answer shows no lower version than that answer;
    /// on one stream versions only grow. Statuses and events bind no read of or after an outage:
    /// then what is held is served, although a client was told of more that could not be had.
    func fallingVersions() -> [String] {
        var found: [String] = []
        let groups = Dictionary(grouping: sights) { "process \($0.process), \($0.key)" }
        for (name, group) in groups {
            let answers = group.sorted { $0.answered < $1.answered }
            var next = 0
            var read = 0
            var told = 0
            for sight in group.sorted(by: { $0.sent < $1.sent }) {
                while next < answers.count, answers[next].answered < sight.sent {
                    let earlier = answers[next]
                    next += 1
                    if earlier.kind == .read {
                        read = Swift.max(read, earlier.version)
                    } else if !isOutage(in: earlier.sent...sight.answered) {
                        told = Swift.max(told, earlier.version)
                    }
                }
                if isOutage(in: sight.sent...sight.answered) { told = 0 }
                let highest = Swift.max(read, told)
                if sight.kind != .told, sight.version < highest {
                    found.append("\(name): \(sight.kind) of \(sight.version) after \(highest)")
                }
            }
        }
        var last: [String: Int] = [:]
        for event in events where event.type == "updated" && !event.isRenewal {
            let name = "\(event.stream), \(event.key)"
            if let before = last[name], event.version <= before {
                found.append("\(name): \(event.version) follows \(before)")
            }
            last[name] = event.version
        }
        return found
    }

    private func isOutage(in time: ClosedRange<Int64>) -> Bool {
        outages.contains { $0.overlaps(time) }
    }

    /// A version has one payload, and a later version one that was loaded later.
    func olderPayloads() -> [String] {
        var found: [String] = []
        for (key, group) in Dictionary(grouping: sights, by: \.key) {
            var loads: [Int: Int64] = [:]
            for sight in group {
                guard let load = sight.load else { continue }
                if let other = loads[sight.version], other != load {
                    found.append("\(key) \(sight.version) has the payloads of \(other) and \(load)")
                }
                loads[sight.version] = load
            }
            let ordered = loads.sorted { $0.key < $1.key }
            for (earlier, later) in zip(ordered, ordered.dropFirst())
            where later.value < earlier.value {
                found.append("\(key) \(later.key) is older than \(earlier.key)")
            }
        }
        return found
    }
}

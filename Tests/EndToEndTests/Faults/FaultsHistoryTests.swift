import Testing

/// The judge of the other suites is judged: each broken promise is found.
@Suite("The history checker finds")
struct FaultsHistoryTests {
    private static func sight(
        _ kind: History.Sight.Kind, _ version: Int, load: Int64? = nil, at time: Int64,
        process: Int = 0
    ) -> History.Sight {
        History.Sight(
            kind: kind, process: process, key: "k", version: version, load: load, sent: time,
            answered: time + 1)
    }

    private static func updated(
        _ version: Int, by job: String, on stream: String = "s", isRenewal: Bool = false
    ) -> History.Event {
        History.Event(
            stream: stream, type: "updated", key: "k", job: job, version: version,
            isRenewal: isRenewal)
    }

    private static func ask(_ status: String = "started") -> History.Ask {
        History.Ask(key: "k", job: "j", status: status, sent: 10, answered: 11)
    }

    private static func run(_ start: Int64) -> CountedSource.Run {
        CountedSource.Run(start: start, key: "k", job: "j")
    }

    @Test("nothing in a history that keeps every promise")
    func clean() {
        let history = History()
        history.add(Self.ask())
        history.add(Self.sight(.read, 1, load: 5, at: 20))
        history.add(Self.sight(.read, 2, load: 12, at: 30))
        history.add(Self.sight(.status, 2, at: 32))
        // An event may arrive long after it was overtaken; another process may lag for a while.
        history.add(Self.sight(.told, 1, at: 40))
        history.add(Self.sight(.read, 1, load: 5, at: 41, process: 1))
        history.add(Self.updated(1, by: "i"))
        history.add(Self.updated(2, by: "j"))
        history.add(Self.updated(2, by: "j", on: "t"))
        history.add(Self.updated(2, by: "m", isRenewal: true))
        #expect(history.violations(endings: ["j": "succeeded"], runs: [Self.run(12)]) == [])
    }

    @Test("an accepted job that is lost, hangs, never ran, or loaded before it was asked for")
    func lost() {
        let history = History()
        history.add(Self.ask())
        let late = [Self.run(12)]
        #expect(history.violations(endings: [:], runs: late) == ["j is lost"])
        #expect(history.violations(endings: ["j": "queued"], runs: late) == ["j is still queued"])
        #expect(history.violations(endings: ["j": "succeeded"], runs: []) == ["j never ran"])
        #expect(
            history.violations(endings: ["j": "succeeded"], runs: [Self.run(9)])
                == ["j loaded before it was asked for"])
        #expect(history.violations(endings: [:], runs: [], wipe: 12) == [])
        let joined = History()
        joined.add(Self.ask("running"))
        #expect(joined.violations(endings: ["j": "succeeded"], runs: [Self.run(9)]) == [])
    }

    @Test("two publications of one job, two jobs of one version, two ends on a stream")
    func double() {
        let history = History()
        history.add(Self.updated(1, by: "i"))
        history.add(Self.updated(2, by: "i", on: "t"))
        #expect(history.violations(endings: [:], runs: []) == ["i published 1 and 2"])
        let other = History()
        other.add(Self.updated(1, by: "i"))
        other.add(Self.updated(1, by: "j", on: "t"))
        #expect(other.violations(endings: [:], runs: []) == ["k 1 was published by i and j"])
        let twice = History()
        twice.add(Self.updated(1, by: "i"))
        twice.add(Self.updated(1, by: "i"))
        #expect(twice.violations(endings: [:], runs: []).contains("i ended twice on s"))
    }

    @Test("a version that goes back: for a reader, behind a status, behind an event, on a stream")
    func falling() {
        for kind in [History.Sight.Kind.read, .status, .told] {
            let history = History()
            history.add(Self.sight(kind, 2, at: 10))
            history.add(Self.sight(.read, 1, at: 12))
            history.add(Self.sight(.status, 1, at: 12))
            #expect(history.violations(endings: [:], runs: []).count == 2)
        }
        let outage = History()
        outage.add(Self.sight(.told, 2, at: 10))
        outage.add(Self.sight(.read, 1, at: 12))
        outage.add(outage: 11...20)
        #expect(outage.violations(endings: [:], runs: []) == [])
        outage.add(Self.sight(.read, 2, at: 30))
        outage.add(Self.sight(.read, 1, at: 32))
        #expect(outage.violations(endings: [:], runs: []).count == 1)
        let stream = History()
        stream.add(Self.updated(2, by: "i"))
        stream.add(Self.updated(1, by: "j"))
        #expect(stream.violations(endings: [:], runs: []) == ["s, k: 1 follows 2"])
    }

    @Test("a payload that is older than the one it replaced, or torn from its version")
    func older() {
        let history = History()
        history.add(Self.sight(.read, 1, load: 9, at: 10))
        history.add(Self.sight(.read, 2, load: 8, at: 20))
        #expect(history.violations(endings: [:], runs: []) == ["k 2 is older than 1"])
        let torn = History()
        torn.add(Self.sight(.read, 1, load: 8, at: 10))
        torn.add(Self.sight(.read, 1, load: 9, at: 20))
        #expect(torn.violations(endings: [:], runs: []) == ["k 1 has the payloads of 8 and 9"])
    }
}

import FreshetModel
import Testing

@testable import Coordination

@Suite("estimates")
struct EstimateTests {
    private let now = Timestamp(milliseconds: 1_795_226_400_000)

    private func remaining(
        _ state: JobState = .queued, running: Int = 0, capacity: Int = 2,
        average: Duration? = .seconds(10), overall: Duration? = .seconds(4),
        _ edit: (inout Job) -> Void = { _ in }
    ) throws -> Duration? {
        var job = Job(id: JobID(run: 1, key: try makeKey("a")), state: state)
        edit(&job)
        return Estimate.remaining(
            of: job, now: now, running: running, capacity: capacity, average: average,
            overall: overall)
    }

    @Test("a waiting job with a free slot needs its own run time")
    func freeSlot() throws {
        #expect(try remaining { $0.ahead = 1 } == .seconds(10))
        #expect(try remaining(running: 1) { $0.ahead = 0 } == .seconds(10))
    }

    @Test("with all slots taken it waits for those ahead and half of what runs")
    func queued() throws {
        // Three ahead of 4 s, two running with 2 s left each, over two slots; then its own 10 s.
        #expect(try remaining(running: 2) { $0.ahead = 3 } == .seconds(18))
        #expect(try remaining(running: 2, average: nil) { $0.ahead = 3 } == .seconds(12))
        #expect(try remaining(running: 2, overall: nil) { $0.ahead = 0 } == .seconds(15))
    }

    @Test("a live lease proves a slot where no worker has told of itself")
    func slots() throws {
        #expect(try remaining(running: 1, capacity: 0) { $0.ahead = 1 } == .seconds(16))
    }

    @Test("nothing is estimated without a worker, before any success, or when over")
    func unknown() throws {
        #expect(try remaining(capacity: 0) { $0.ahead = 0 } == nil)
        #expect(try remaining(average: nil, overall: nil) { $0.ahead = 0 } == nil)
        #expect(
            try remaining(.running, average: nil, overall: nil) { $0.startedAt = now } == nil)
        for state in JobState.allCases where state.isEnded { #expect(try remaining(state) == nil) }
    }

    @Test("a delayed or retrying job begins when it is due")
    func delayed() throws {
        for state in [JobState.queued, .retrying] {
            #expect(try remaining(state) { $0.runAt = now + .seconds(60) } == .seconds(70))
            #expect(try remaining(state) { $0.runAt = now + .seconds(-60) } == .seconds(10))
        }
    }

    @Test("a running job is estimated by its progress, else by the average")
    func running() throws {
        func running(_ elapsed: Duration, _ progress: Progress? = nil) throws -> Duration? {
            try remaining(.running) {
                $0.startedAt = now - elapsed
                $0.progress = progress
            }
        }
        #expect(try running(.seconds(4)) == .seconds(6))
        #expect(try running(.seconds(4), Progress(done: 25, total: 100)) == .seconds(12))
        #expect(try running(.seconds(4), Progress(done: 25)) == .seconds(6))
        #expect(try running(.seconds(4), Progress(done: 0, total: 9)) == .seconds(6))
        #expect(try running(.seconds(4), Progress(done: 99, total: 9)) == .zero)
        // Overdue: a tenth of what it took so far.
        #expect(try running(.seconds(30)) == .seconds(3))
        #expect(try running(.seconds(4), Progress(done: 1e-300, total: 1e300)) == .seconds(6))
    }
}

extension Timestamp {
    fileprivate static func - (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds - right.milliseconds)
    }
}

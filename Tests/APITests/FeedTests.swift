import FreshetModel
import Testing

@testable import API

@Suite("the order of events")
struct FeedTests {
    private func event(_ sequence: Int64, epoch: Int64 = 1) -> RefreshEvent {
        RefreshEvent(
            id: EventID(partition: 0, epoch: epoch, sequence: sequence), kind: .queued,
            key: APIFixture.key("cinema"), jobID: nil, version: 0,
            at: Timestamp(milliseconds: sequence))
    }

    @Test("events are delivered once")
    func once() {
        var log = PartitionLog()
        do {
            let told = log.receive([event(1), event(2)])
            #expect(told.count == 2)
        }
        do {
            let told = log.receive([event(2), event(3)])
            #expect(told.map(\.id.sequence) == [3])
        }
    }

    @Test("while a gap is filled, events wait; then all come in order")
    func filling() {
        var log = PartitionLog()
        _ = log.receive([event(1)])
        do {
            let isTaken = log.beginFilling()
            #expect(isTaken)
        }
        do {
            let isTaken = log.beginFilling()
            #expect(!isTaken)
        }
        do {
            let told = log.receive([event(4)])
            #expect(told.isEmpty)
        }
        let result = log.fill(missed: [event(2), event(3), event(4)], position: nil)
        #expect(result.events.map(\.id.sequence) == [2, 3, 4])
        #expect(!result.isLossy)
        #expect(log.position == event(4).id)
    }

    @Test("where events are lost, the position is that of the log")
    func lossy() {
        var log = PartitionLog()
        do {
            let isTaken = log.beginFilling()
            #expect(isTaken)
        }
        let result = log.fill(missed: nil, position: event(9).id)
        #expect(result.isLossy)
        do {
            let told = log.receive([event(9), event(10)])
            #expect(told.map(\.id.sequence) == [10])
        }
        #expect(log.isBehind(event(11).id))
        #expect(!log.isBehind(event(10).id))
    }

    @Test("a log begun anew is followed")
    func newEpoch() {
        var log = PartitionLog()
        _ = log.receive([event(50)])
        do {
            let told = log.receive([event(1, epoch: 2)])
            #expect(told.count == 1)
        }
        do {
            let isTaken = log.beginFilling()
            #expect(isTaken)
        }
        _ = log.fill(missed: nil, position: event(3, epoch: 3).id)
        #expect(log.position == event(3, epoch: 3).id)
    }

    @Test("what is known of a refresh follows the store's clock, not the order of arrival")
    func view() {
        var view = RefreshView()
        var running = event(5)
        running.kind = .running
        running.jobID = JobID(run: 7, key: APIFixture.key("cinema"))
        do {
            let isTaken = view.apply(running)
            #expect(isTaken)
        }
        var late = KeyStatus(key: APIFixture.key("cinema"), now: Timestamp(milliseconds: 4))
        late.state = .queued
        do {
            let isTaken = view.apply(late)
            #expect(!isTaken)
        }
        #expect(view.state == .running)
        var done = running
        done.kind = .updated
        done.at = Timestamp(milliseconds: 6)
        do {
            let isTaken = view.apply(done)
            #expect(isTaken)
        }
        #expect(view.state == .idle)
        #expect(view.job == nil)
    }
}

import Coordination
import DutySupport
import FreshetModel
import Testing

@testable import Worker

@Suite("Lease book")
struct LeaseBookTests {
    private func claim(_ nonce: String, lease: Duration = .seconds(9)) -> Claim {
        Fixtures.claim("k", nonce: nonce, lease: lease)
    }

    @Test("a lease is renewed every third of it, and at least once a second")
    func beats() {
        var book = LeaseBook()
        book.begin(claim("long"), sentAt: .zero, now: .zero, timeout: .seconds(300))
        book.begin(
            claim("short", lease: .milliseconds(900)), sentAt: .zero, now: .zero,
            timeout: .seconds(300))
        #expect(book.nextBeat == .milliseconds(300))
        #expect(
            book.heartbeats(at: .milliseconds(300)).map(\.claim.nonce) == ["short"])
        #expect(book.nextBeat == .milliseconds(600))
    }

    @Test("heartbeats that are nearly due go with those that are")
    func batches() {
        var book = LeaseBook()
        for (index, nonce) in ["a", "b", "c"].enumerated() {
            let at = Duration.milliseconds(300 * index)
            book.begin(claim(nonce), sentAt: at, now: at, timeout: .seconds(300))
        }
        #expect(Set(book.heartbeats(at: .seconds(1)).map(\.claim.nonce)) == ["a", "b"])
    }

    @Test("the lease ends a lease's length after the last heartbeat that was answered was sent")
    func leaseEnds() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .seconds(1), timeout: .seconds(300))
        book.renewed("n", sentAt: .seconds(5))
        #expect(book.due(at: .seconds(13)).isEmpty)
        let due = book.due(at: .seconds(14))
        #expect(due.map(\.nonce) == ["n"] && due.map(\.what) == [.leaseEnded])
        #expect(book.due(at: .seconds(15)).isEmpty, "each is told once")
    }

    @Test("an answer that comes late does not shorten a lease renewed since")
    func lateAnswer() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .seconds(300))
        book.renewed("n", sentAt: .seconds(5))
        book.renewed("n", sentAt: .seconds(2))
        #expect(book.nextDue == .seconds(14))
    }

    @Test("an attempt times out, is told to stop, and is given up after its grace")
    func timesOut() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .milliseconds(50))
        #expect(book.nextDue == .milliseconds(50))
        #expect(book.due(at: .milliseconds(50)).map(\.what) == [.timedOut])
        book.stop("n", giveUpAt: .seconds(6))
        #expect(book.nextDue == .seconds(6))
        #expect(book.nextBeat == .seconds(1), "the lease is kept while the source stops")
        #expect(book.due(at: .seconds(6)).map(\.what) == [.givenUp])
        #expect(book.nextDue == nil)
    }

    @Test("while a payload is published nothing falls due, but the lease is kept")
    func settles() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .seconds(2))
        book.settle("n")
        #expect(book.due(at: .seconds(3)).isEmpty)
        #expect(book.report(Progress(done: 1), "n") == false)
        #expect(book.nextDue == nil && book.due(at: .seconds(60)).isEmpty)
        #expect(book.heartbeats(at: .seconds(60)).count == 1)
    }

    @Test("progress goes out at once and then at most five times a second, the latest only")
    func progress() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .seconds(300))
        #expect(book.report(Progress(done: 1), "n") == true)
        #expect(
            book.report(Progress(done: 2), "n") == false, "the first report woke the keeper already"
        )
        #expect(book.nextBeat == .zero)
        #expect(book.heartbeats(at: .milliseconds(10)).first?.progress == Progress(done: 2))
        #expect(book.report(Progress(done: 3), "n") == true)
        #expect(book.nextBeat == .milliseconds(210))
        #expect(book.heartbeats(at: .milliseconds(100)).isEmpty)
        #expect(book.heartbeats(at: .milliseconds(210)).first?.progress == Progress(done: 3))
        #expect(book.heartbeats(at: .milliseconds(211)).isEmpty)
    }

    @Test("a heartbeat that failed is repeated soon, with its progress unless there is newer")
    func repeats() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .seconds(300))
        _ = book.report(Progress(done: 1), "n")
        let sent = book.heartbeats(at: .seconds(1))
        book.failed(sent, at: .seconds(1))
        #expect(book.heartbeats(at: .seconds(1)).isEmpty, "soon, not at once")
        #expect(book.nextBeat == .seconds(1) + LeaseBook.progressInterval)
        let again = book.heartbeats(at: .seconds(1) + LeaseBook.repeatInterval)
        #expect(again.first?.progress == Progress(done: 1))
    }

    @Test("a source that runs again keeps the lease as it stands and gets a new time limit")
    func runsAgain() {
        var book = LeaseBook()
        book.begin(claim("n"), sentAt: .zero, now: .zero, timeout: .seconds(3))
        book.renewed("n", sentAt: .seconds(2))
        book.settle("n")
        book.begin(claim("n"), sentAt: .zero, now: .seconds(2), timeout: .seconds(3))
        #expect(book.nextDue == .seconds(5))
        book.settle("n")
        #expect(book.nextDue == nil)
        book.end("n")
        #expect(book.count == 0 && book.nextDue == nil && book.nextBeat == nil)
    }
}

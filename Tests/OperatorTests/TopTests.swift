import Coordination
import FreshetModel
import Testing

@testable import Operator

@Suite("The live view")
struct TopTests {
    private func snapshot(at milliseconds: Int64 = 0, hits: Int = 0) throws -> TopSnapshot {
        var snapshot = TopSnapshot(
            now: Timestamp(milliseconds: 1_795_226_400_000 + milliseconds), queue: QueueStatus())
        func job(_ key: String, _ state: JobState) throws -> Job {
            Job(id: JobID(run: 1_795_226_400_000_000, key: try #require(Key(key))), state: state)
        }
        snapshot.running = [try job("run", .running)]
        snapshot.running[0].progress = Progress(done: 1, total: 2)
        snapshot.waiting = [try job("wait", .queued)]
        snapshot.dead = [try job("dead", .dead)]
        snapshot.dead[0].error = "no such host"
        snapshot.statistics.hits = hits
        return snapshot
    }

    private func keys(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("arrows and letters move the selection within the list")
    func selection() throws {
        var model = TopModel()
        model.take(try snapshot())
        #expect(model.selectedJob?.id.key.text == "run")
        #expect(model.press(keys("\u{1B}[B")).isEmpty)
        #expect(model.selectedJob?.id.key.text == "wait")
        _ = model.press(keys("jjj"))
        #expect(model.selectedJob?.id.key.text == "dead")
        _ = model.press(keys("\u{1B}[A\u{1B}[A\u{1B}[A\u{1B}[A"))
        #expect(model.selectedJob?.id.key.text == "run")
    }

    @Test("the selection stays with its job when the list changes")
    func stableSelection() throws {
        var model = TopModel()
        model.take(try snapshot())
        _ = model.press(keys("j"))
        var next = try snapshot(at: 500)
        next.running = []
        model.take(next)
        #expect(model.selectedJob?.id.key.text == "wait")
        next.waiting = []
        model.take(next)
        #expect(model.selectedJob?.id.key.text == "dead")
    }

    @Test("a job is cancelled after a yes only")
    func cancel() throws {
        var model = TopModel()
        model.take(try snapshot())
        let id = try #require(model.selected)
        #expect(model.press(keys("c")).isEmpty)
        #expect(model.message == "cancel run? y")
        #expect(model.press(keys("n")).isEmpty)
        #expect(model.press(keys("y")).isEmpty)
        #expect(model.press(keys("cy")) == [.cancel(id)])
        _ = model.press(keys("jj"))
        #expect(model.press(keys("c")).isEmpty)
        #expect(model.message == "select a job that waits or runs")
    }

    @Test("a dead job is retried, the queue paused and resumed, the view left")
    func commands() throws {
        var model = TopModel()
        model.take(try snapshot())
        #expect(model.press(keys("r")).isEmpty)
        #expect(model.press(keys("jjr")) == [.retry(try #require(Key("dead")))])
        #expect(model.press(keys("p")) == [.setPaused(true)])
        #expect(model.press(keys("q")) == [.quit])
    }

    @Test("the view fits the screen, and rates are per second")
    func view() throws {
        var model = TopModel()
        model.take(try snapshot())
        model.take(try snapshot(at: 5000, hits: 50))
        #expect(model.rates.reads == 10)
        let view = TopView(width: 60, isColored: false)
        let lines = view.lines(model, rows: 40)
        #expect(lines.allSatisfy { $0.count <= 60 })
        #expect(
            lines.contains { $0.hasPrefix("> run") && $0.contains("██████████░░░░░░░░░░ 50 %") })
        #expect(lines.contains { $0.contains("no such host") })
        #expect(lines.contains("no worker is alive"))
        #expect(view.lines(model, rows: 5).count == 5)
        #expect(view.lines(model, rows: 5).last?.hasPrefix("p pause") == true)
    }
}

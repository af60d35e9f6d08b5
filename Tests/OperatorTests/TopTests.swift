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
        #expect(model.rates?.reads == 10)
        let view = TopView(width: 60, isColored: false)
        let lines = view.lines(model, rows: 40)
        #expect(lines.allSatisfy { $0.count <= 60 })
        #expect(
            lines.contains { $0.hasPrefix("> run") && $0.contains("████████░░░░░░░░  50 %") })
        #expect(lines.contains { $0.contains("no such host") })
        #expect(lines[0].contains("NO WORKER is alive"))
        for rows in [1, 2, 5, 10, 40] {
            let screen = view.lines(model, rows: rows)
            #expect(screen.count == rows)
            #expect(screen.last?.hasPrefix(" p pause") == true)
        }
        #expect(view.lines(model, rows: nil).last?.hasPrefix("WORKERS none") == true)
    }

    @Test("a long queue hides neither the dead nor what is selected in it")
    func crowded() throws {
        var crowded = try snapshot()
        let first = try #require(crowded.waiting.first)
        crowded.waiting = (1...50).map { number in
            var job = first
            job.id = JobID(run: Int64(number), key: first.id.key)
            job.position = number
            return job
        }
        crowded.queue.waitingByPriority = [.normal: 1_234_567]
        var model = TopModel()
        model.take(crowded)
        let view = TopView(width: 80, isColored: false)
        var screen = view.lines(model, rows: 24)
        #expect(screen.contains { $0.contains("no such host") })
        #expect(screen.contains { $0.hasPrefix("WAITING") && $0.hasSuffix("of 1 234 567") })
        for _ in 0..<40 { _ = model.press(keys("j")) }
        screen = view.lines(model, rows: 24)
        #expect(screen.contains { $0.hasPrefix("> wait") && $0.contains("#40") })
        #expect(screen.contains { $0.contains("no such host") })
    }

    @Test("a store that does not answer is told, and what is shown is called old")
    func trouble() throws {
        var model = TopModel()
        model.take(try snapshot())
        model.trouble = "connection refused"
        let view = TopView(width: 80, isColored: false)
        #expect(view.lines(model, rows: 24)[0].contains("NO ANSWER, this is old: connection"))
        model.take(try snapshot(at: 500))
        #expect(!view.lines(model, rows: 24)[0].contains("NO ANSWER"))
    }
}

import Coordination
import FreshetModel
import Testing

@testable import Operator

@Suite("What operators read")
struct WordingTests {
    @Test(
        "durations read as people say them",
        arguments: [
            (Duration.zero, "0 ms"), (.milliseconds(850), "850 ms"), (.milliseconds(3210), "3.2 s"),
            (.seconds(5), "5 s"), (.seconds(45), "45 s"), (.seconds(60), "1 min"),
            (.seconds(125), "2 min 5 s"), (.seconds(3 * 3600 + 12 * 60 + 9), "3 h 12 min"),
            (.seconds(6 * 86_400), "6 d"), (.seconds(-5), "0 ms"),
        ])
    func durations(duration: Duration, text: String) {
        #expect(HumanUnits.duration(duration) == text)
    }

    @Test(
        "sizes read in binary units",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1_258_291, "1.2 MiB"),
            (81 << 20, "81 MiB"), (3 << 40, "3 TiB"),
        ])
    func sizes(count: Int, text: String) {
        #expect(HumanUnits.bytes(count) == text)
    }

    @Test("numbers keep their digits")
    func numbers() {
        #expect(HumanUnits.decimal(1.05, digits: 1) == "1.1")
        #expect(HumanUnits.decimal(-0.04, digits: 1) == "0")
        #expect(HumanUnits.decimal(-2.5, digits: 2) == "-2.50")
        #expect(HumanUnits.decimal(.infinity, digits: 1) == "-")
        #expect(HumanUnits.count(1_234_567) == "1 234 567")
        #expect(HumanUnits.count(12) == "12")
    }

    @Test("a table fits the terminal, and a source's text cannot steer it")
    func table() {
        var table = TextTable([
            .init(title: "KEY"), .init(title: "N", isNumber: true), .init(title: "E"),
        ])
        table.add([.init("a\u{1B}[2Jb"), .init(7), .init(String(repeating: "x", count: 50))])
        #expect(
            table.lines(width: 30, colored: false) == [
                "KEY     N  E", "a [2Jb  7  " + String(repeating: "x", count: 18) + "…",
            ])
        #expect(table.lines(width: nil, colored: false)[1].hasSuffix("x"))
        #expect(table.lines(width: nil, colored: true)[0].hasPrefix("\u{1B}[1mKEY"))
    }

    @Test("a running job is a bar, a waiting one a position")
    func progress() throws {
        let id = try #require(JobID("1795226400000000-catalog"))
        var job = Job(id: id, state: .running)
        job.progress = Progress(done: 45, total: 100, message: "page 4")
        job.estimatedRemaining = .seconds(3)
        job.attempt = 1
        let line = ProgressLine.text(job, width: 200)
        #expect(line.hasPrefix("catalog  ██████████████░"))
        #expect(line.hasSuffix("45 %  about 3 s left  45/100 page 4"))
        #expect(ProgressLine.step(job) == "catalog: running, 40 %")
        #expect(ProgressLine.text(job, width: 20).count == 20)

        job.state = .queued
        job.position = 3
        job.queueDepth = 40
        #expect(ProgressLine.step(job) == "catalog: position 3 of 40")
    }
}

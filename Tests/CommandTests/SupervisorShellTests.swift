import Runtime
import Synchronization
import Testing

@testable import freshet_cli

/// Drives the shell with shell scripts instead of the real members.
@Suite("Supervisor shell", .timeLimit(.minutes(1)))
struct SupervisorShellTests {
    private final class Record: Sendable {
        private let stored = Mutex<[String]>([])
        func add(_ line: String) { stored.withLock { $0.append(line) } }
        var lines: [String] { stored.withLock { $0 } }
    }

    private static func script(_ text: String) -> SupervisedProcess.Command {
        .init(
            executable: "/bin/sh", arguments: ["-c", text], environment: ["PATH": "/usr/bin:/bin"])
    }

    private func log(_ record: Record, _ onLine: @escaping (String) -> Void = { _ in })
        -> SupervisorLog
    {
        SupervisorLog(isJSON: false, isColored: false, width: 9) { line in
            record.add(line)
            onLine(line)
        }
    }

    @Test("children are started, restarted when they die, and drained by a stop")
    func lifecycle() throws {
        let loop = EventLoop(name: "test")
        let record = Record()
        let box = Box()
        let plan = Supervisor.Plan(ownsRedis: false, apis: 1, workers: 1, drainTimeout: .zero)
        let wiring = SupervisorShell.Wiring(
            command: { member in
                member == .worker(1)
                    ? Self.script("echo up $$; exit 3")
                    : Self.script(
                        "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")
            },
            redis: nil, api: .unix(path: "/nonexistent"), announce: {},
            log: log(record) { line in
                if line.contains("worker-1 ended (exit code 3)") { box.deaths += 1 }
                if box.deaths == 2 {
                    box.deaths = 3
                    loop.schedule(after: .zero) { box.shell?.requestStop() }
                }
            })
        let shell = SupervisorShell(plan: plan, wiring: wiring, loop: loop)
        box.shell = shell
        #expect(shell.run() == .done)
        let lines = record.lines
        #expect(lines.filter { $0.hasPrefix("worker-1  | up ") }.count >= 2)
        #expect(lines.contains("api-1     | up"))
        #expect(lines.contains("api-1     | bye"))
        #expect(lines.contains("scheduler | bye"))
        #expect(lines.contains("up        | ending; a second signal ends at once"))
    }

    @Test("a program that is not there is reported, not crashed on")
    func missingProgram() {
        let loop = EventLoop(name: "test")
        let record = Record()
        let box = Box()
        let plan = Supervisor.Plan(ownsRedis: false, apis: 1, workers: 0, drainTimeout: .zero)
        let wiring = SupervisorShell.Wiring(
            command: { _ in .init(executable: "/no/such", arguments: [], environment: [:]) },
            redis: nil, api: .unix(path: "/nonexistent"), announce: {},
            log: log(record) { line in
                if line.contains("No such file") {
                    loop.schedule(after: .zero) { box.shell?.requestStop() }
                }
            })
        let shell = SupervisorShell(plan: plan, wiring: wiring, loop: loop)
        box.shell = shell
        #expect(shell.run() == .done)
        #expect(record.lines.contains { $0.contains("start /no/such: No such file or directory") })
    }

    private final class Box {
        var shell: SupervisorShell?
        var deaths = 0
    }
}

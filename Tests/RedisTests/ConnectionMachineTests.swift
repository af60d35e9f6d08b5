import Testing

@testable import Redis

private let millisecond: UInt64 = 1_000_000
private let down = RedisError(.unreachable, "down")
private let broken = RedisError(.closed, "broken")

@Suite("Connection machine")
struct ConnectionMachineTests {
    private typealias Machine = ConnectionMachine<String>

    private func machine(
        maxCommands: Int = 10, maxBytes: Int = 100, grace: UInt64 = 0,
        overdue: UInt64 = 1000 * millisecond
    ) -> ConnectionMachine<String> {
        ConnectionMachine(
            limits: .init(
                maxCommands: maxCommands, maxQueuedBytes: maxBytes, connectGrace: grace,
                overdueGrace: overdue, maxBackoff: 1000 * millisecond))
    }

    private func ready(_ edit: (inout ConnectionMachine<String>) -> Void = { _ in })
        -> ConnectionMachine<String>
    {
        var machine = machine()
        edit(&machine)
        _ = machine.connected(now: 0)
        return machine
    }

    private func fates(_ failures: [ConnectionMachine<String>.Failure]) -> [String] {
        failures.map { "\($0.token) \($0.error.code) \($0.error.effect)" }
    }

    @Test("before the first attempt has ended a command is held, then written in order")
    func holdsAndWrites() {
        var machine = machine()
        #expect(machine.admit(["A"], unwritten: 0) == .hold)
        _ = machine.hold("a", ["A"], deadline: 100, now: 0)
        _ = machine.hold("b", ["B"], deadline: 100, now: 0)
        #expect(machine.connected(now: 10).map(\.token) == ["a", "b"])
        #expect(machine.admit(["C"], unwritten: 0) == .write)
    }

    @Test("a failed attempt fails what is held and what comes next, without effect")
    func failsFast() {
        var machine = machine()
        _ = machine.hold("a", ["A"], deadline: 100, now: 0)
        let (failures, pause) = machine.attemptFailed(down, now: 10, fraction: 0.5)
        #expect(fates(failures) == ["a unreachable none"])
        #expect(pause < 1000 * millisecond)
        #expect(machine.admit(["B"], unwritten: 0) == .refuse(down))
        let isAgain = machine.retry()
        #expect(isAgain)
        #expect(machine.admit(["B"], unwritten: 0) == .refuse(down))
        _ = machine.connected(now: 20)
        #expect(machine.admit(["B"], unwritten: 0) == .write)
    }

    @Test("with a grace a command outlives failed attempts for so long")
    func grace() {
        var machine = machine(grace: 50)
        _ = machine.hold("a", ["A"], deadline: 1000, now: 0)
        #expect(machine.attemptFailed(down, now: 10, fraction: 0).failures.isEmpty)
        #expect(machine.admit(["B"], unwritten: 0) == .hold)
        _ = machine.hold("b", ["B"], deadline: 1000, now: 20)
        #expect(machine.nextExpiry(lastActivity: 0) == 50)
        #expect(fates(machine.expire(now: 50, lastActivity: 0).failures) == ["a unreachable none"])
        #expect(fates(machine.expire(now: 70, lastActivity: 0).failures) == ["b unreachable none"])
    }

    @Test("one who only waits for the connection outlives failed attempts until its deadline")
    func waiter() {
        var machine = machine()
        _ = machine.wait("w", deadline: 100)
        #expect(machine.attemptFailed(down, now: 10, fraction: 0).failures.isEmpty)
        #expect(fates(machine.expire(now: 100, lastActivity: 0).failures) == ["w unreachable none"])
    }

    @Test("when the connection breaks, only what was written whole may have happened")
    func effectsOfALoss() {
        var machine = ready()
        _ = machine.launch("written", deadline: 100, end: 10)
        _ = machine.launch("half", deadline: 100, end: 20)
        _ = machine.launch("queued", deadline: 100, end: 30)
        let (failures, _) = machine.lost(broken, written: 15, now: 50, fraction: 0)
        #expect(
            fates(failures) == ["written closed unknown", "half closed none", "queued closed none"])
        #expect(machine.admit(["A"], unwritten: 0) == .hold)
    }

    @Test("a late reply is dropped in its place")
    func lateReply() {
        var machine = ready()
        _ = machine.launch("slow", deadline: 100, end: 10)
        _ = machine.launch("fast", deadline: 900, end: 20)
        #expect(
            fates(machine.expire(now: 100, lastActivity: 0).failures) == ["slow timeout unknown"])
        guard case .drop = machine.received() else { return #expect(Bool(false)) }
        guard case .deliver("fast") = machine.received() else { return #expect(Bool(false)) }
        guard case .unexpected = machine.received() else { return #expect(Bool(false)) }
    }

    @Test("a silent peer is given up when its oldest reply is overdue by the grace")
    func silence() {
        var machine = ready()
        _ = machine.launch("a", deadline: 100 * millisecond, end: 10)
        #expect(machine.nextExpiry(lastActivity: 0) == 100 * millisecond)
        #expect(!machine.expire(now: 100 * millisecond, lastActivity: 0).isSilent)
        #expect(machine.nextExpiry(lastActivity: 0) == 1100 * millisecond)
        #expect(!machine.expire(now: 1099 * millisecond, lastActivity: 0).isSilent)
        // Bytes of a large reply on their way are life.
        #expect(!machine.expire(now: 1100 * millisecond, lastActivity: 900 * millisecond).isSilent)
        #expect(machine.nextExpiry(lastActivity: 900 * millisecond) == 1900 * millisecond)
        #expect(machine.expire(now: 1900 * millisecond, lastActivity: 900 * millisecond).isSilent)
    }

    @Test("without a grace the deadline itself ends the socket")
    func noGrace() {
        var machine = machine(overdue: 0)
        _ = machine.connected(now: 0)
        _ = machine.launch("pop", deadline: 100, end: 10)
        #expect(machine.expire(now: 100, lastActivity: 50).isSilent)
    }

    @Test("past the bounds a command is refused, but one large command passes alone")
    func bounds() {
        var machine = ready()
        let large = [RedisArgument([UInt8](repeating: 0, count: 500))]
        #expect(machine.admit(large, unwritten: 0) == .write)
        guard case .refuse(let bytes) = machine.admit(large, unwritten: 1) else {
            return #expect(Bool(false))
        }
        #expect(bytes.code == .overloaded)
        for number in 0..<10 { _ = machine.launch("\(number)", deadline: 100, end: 10) }
        guard case .refuse(let count) = machine.admit(["A"], unwritten: 0) else {
            return #expect(Bool(false))
        }
        #expect(count.code == .overloaded)
        #expect(count.effect == RedisError.Effect.none)
    }

    @Test("a cancelled command ends at once and keeps its place")
    func cancel() {
        var machine = machine()
        let held = machine.hold("held", ["A"], deadline: 100, now: 0)
        #expect(machine.cancel(held).map { fates([$0]) } == ["held cancelled none"])
        _ = machine.connected(now: 0)
        _ = machine.launch("first", deadline: 100, end: 1)
        let second = machine.launch("second", deadline: 100, end: 2)
        #expect(machine.cancel(second).map { fates([$0]) } == ["second cancelled unknown"])
        #expect(machine.cancel(second) == nil)
        guard case .deliver("first") = machine.received() else { return #expect(Bool(false)) }
        guard case .drop = machine.received() else { return #expect(Bool(false)) }
    }

    @Test("a server that hangs up at once is asked again ever more seldom")
    func backoff() {
        var machine = ready()
        var pauses: [UInt64] = []
        for round in 1...10 {
            let now = UInt64(round) * millisecond
            pauses.append(machine.lost(broken, written: 0, now: now, fraction: 0.999).pause)
            _ = machine.retry()
            _ = machine.connected(now: now)
        }
        #expect(pauses[0] < 25 * millisecond)
        #expect(pauses == pauses.sorted())
        #expect(pauses[9] > 900 * millisecond && pauses[9] <= 1000 * millisecond)
        // A connection that lived is a success: the next retry is quick again.
        let later = 5000 * millisecond
        #expect(
            machine.lost(broken, written: 0, now: later, fraction: 0.9).pause < 25 * millisecond)
    }

    @Test("close ends everything and takes nothing more")
    func close() {
        var machine = ready()
        _ = machine.launch("sent", deadline: 100, end: 10)
        #expect(fates(machine.close(written: 10)) == ["sent closed unknown"])
        guard case .refuse(let error) = machine.admit(["A"], unwritten: 0) else {
            return #expect(Bool(false))
        }
        #expect(error.code == .closed)
        let isAgain = machine.retry()
        #expect(!isAgain)
    }
}

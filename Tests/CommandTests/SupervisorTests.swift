import Testing

@testable import freshet_cli

@Suite("Supervisor")
struct SupervisorTests {
    private let plan = Supervisor.Plan(
        ownsRedis: true, apis: 2, workers: 1, drainTimeout: .seconds(30))

    /// A machine that serves, all its members started.
    private func serving() -> Supervisor {
        var machine = Supervisor(plan: plan)
        _ = machine.begin()
        _ = machine.redisAnswered(true)
        return machine
    }

    @Test("Redis comes first, the others once it answers")
    func start() {
        var machine = Supervisor(plan: plan)
        #expect(machine.begin() == [.start(.redis), .setTimer(.probeRedis, .milliseconds(10))])
        #expect(machine.redisAnswered(false) == [.setTimer(.probeRedis, .milliseconds(20))])
        #expect(machine.timerFired(.probeRedis) == [.probeRedis])
        #expect(
            machine.redisAnswered(true) == [
                .start(.api(1)), .start(.api(2)), .start(.scheduler), .start(.worker(1)),
                .setTimer(.probeReady, Supervisor.probePace),
            ])
    }

    @Test("with another Redis there is none of its own, and no wait for it")
    func foreignRedis() {
        var machine = Supervisor(
            plan: .init(ownsRedis: false, apis: 1, workers: 0, drainTimeout: .zero))
        #expect(
            machine.begin() == [
                .start(.api(1)), .start(.scheduler), .setTimer(.probeReady, Supervisor.probePace),
            ])
    }

    @Test("ready is announced once")
    func ready() {
        var machine = serving()
        #expect(
            machine.readyAnswered(problem: "no Redis") == [
                .setTimer(.probeReady, Supervisor.probePace)
            ])
        #expect(machine.readyAnswered(problem: nil) == [.announceReady])
        #expect(machine.readyAnswered(problem: nil) == [])
        #expect(machine.timerFired(.probeReady) == [])
    }

    @Test("a hang-up reaches the API processes that live, and nobody while it ends")
    func reload() {
        var machine = serving()
        #expect(machine.reloadRequested() == [.reload(.api(1)), .reload(.api(2))])
        _ = machine.exited(.api(1), .signal(9), after: .seconds(20))
        #expect(machine.reloadRequested() == [.reload(.api(2))])
        _ = machine.stopRequested()
        #expect(machine.reloadRequested() == [])
    }

    @Test("a child that dies is started again, later each time it dies young")
    func restarts() {
        var machine = serving()
        let delays = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].map {
            Duration.milliseconds($0)
        }
        for delay in delays {
            #expect(
                machine.exited(.worker(1), .signal(9), after: .seconds(1)) == [
                    .report(.died(.worker(1), .signal(9), restartIn: delay)),
                    .setTimer(.restart(.worker(1)), delay),
                ])
            #expect(machine.timerFired(.restart(.worker(1))) == [.start(.worker(1))])
        }
        // One that ran well for a while is started again at once.
        let actions = machine.exited(.worker(1), .code(1), after: .seconds(60))
        #expect(actions.last == .setTimer(.restart(.worker(1)), .milliseconds(100)))
    }

    @Test("a stop drains API and scheduler, then workers, then Redis")
    func drains() {
        var machine = serving()
        #expect(
            machine.stopRequested() == [
                .report(.draining), .terminate(.api(1)), .terminate(.api(2)),
                .terminate(.scheduler), .setTimer(.deadline(.front), .seconds(35)),
            ])
        #expect(machine.exited(.api(1), .code(0), after: .seconds(5)) == [])
        #expect(machine.exited(.scheduler, .code(0), after: .seconds(5)) == [])
        #expect(
            machine.exited(.api(2), .code(0), after: .seconds(5)) == [
                .terminate(.worker(1)), .setTimer(.deadline(.workers), .seconds(40)),
            ])
        #expect(
            machine.exited(.worker(1), .code(0), after: .seconds(5)) == [
                .terminate(.redis), .setTimer(.deadline(.redis), .seconds(30)),
            ])
        #expect(machine.exited(.redis, .code(0), after: .seconds(5)) == [.finish(.done)])
    }

    @Test("what does not end in time is killed")
    func deadline() {
        var machine = serving()
        _ = machine.stopRequested()
        _ = machine.exited(.api(1), .code(0), after: .seconds(5))
        _ = machine.exited(.scheduler, .code(0), after: .seconds(5))
        #expect(
            machine.timerFired(.deadline(.front)) == [
                .report(.tookTooLong(.api(2))), .kill(.api(2)),
            ])
        #expect(machine.timerFired(.deadline(.workers)) == [])
    }

    @Test("a second stop kills everything at once")
    func secondStop() {
        var machine = serving()
        _ = machine.stopRequested()
        #expect(
            machine.stopRequested() == [
                .kill(.api(1)), .kill(.api(2)), .kill(.redis), .kill(.scheduler), .kill(.worker(1)),
            ])
        for member in [Member.api(1), .api(2), .redis, .scheduler] {
            #expect(machine.exited(member, .signal(9), after: .seconds(5)) == [])
        }
        #expect(machine.exited(.worker(1), .signal(9), after: .seconds(5)) == [.finish(.done)])
    }

    @Test("while others drain, Redis is started again; nothing else is")
    func redisDiesWhileDraining() {
        var machine = serving()
        _ = machine.exited(.worker(1), .code(1), after: .seconds(60))
        _ = machine.stopRequested()
        #expect(machine.timerFired(.restart(.worker(1))) == [])
        let actions = machine.exited(.redis, .signal(11), after: .seconds(60))
        #expect(actions.last == .setTimer(.restart(.redis), .milliseconds(100)))
        #expect(machine.timerFired(.restart(.redis)) == [.start(.redis)])
    }

    @Test("a stop while a dead child waits for its restart does not wait for it")
    func stopWhileWaiting() {
        var machine = Supervisor(
            plan: .init(ownsRedis: false, apis: 1, workers: 0, drainTimeout: .zero))
        _ = machine.begin()
        _ = machine.exited(.scheduler, .code(1), after: .seconds(60))
        _ = machine.exited(.api(1), .code(1), after: .seconds(60))
        #expect(machine.stopRequested() == [.report(.draining), .finish(.done)])
    }

    @Test("a Redis that never answers is given up after three starts")
    func redisHopeless() {
        var machine = Supervisor(plan: plan)
        _ = machine.begin()
        for _ in 1..<Supervisor.redisAttempts {
            _ = machine.exited(.redis, .code(1), after: .milliseconds(5))
            _ = machine.timerFired(.restart(.redis))
        }
        #expect(
            machine.exited(.redis, .code(1), after: .milliseconds(5)) == [
                .report(.gaveUp(.redis, .code(1))), .report(.draining), .finish(.failed),
            ])
    }

    @Test("a child that refuses its configuration ends the stack with that code")
    func badConfiguration() {
        var machine = serving()
        let actions = machine.exited(.api(1), .code(78), after: .milliseconds(5))
        #expect(actions.first == .report(.gaveUp(.api(1), .code(78))))
        for member in [Member.api(2), .scheduler, .worker(1)] {
            _ = machine.exited(member, .code(0), after: .seconds(1))
        }
        #expect(
            machine.exited(.redis, .code(0), after: .seconds(1)) == [.finish(.configuration)])
    }
}

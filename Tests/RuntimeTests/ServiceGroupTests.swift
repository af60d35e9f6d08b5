import Glibc
import Runtime
import Synchronization
import Testing

/// A service that is a closure.
private struct TestService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}

private struct Broken: Error {}

@Suite("Service group")
struct ServiceGroupTests {
    /// Notes what happens, from any task.
    private final class Journal: Sendable {
        private let entries = Mutex<[String]>([])
        func note(_ entry: String) { entries.withLock { $0.append(entry) } }
        var all: [String] { entries.withLock { $0 } }
    }

    @Test("a shutdown reaches the last service first, and the next when that has ended")
    func order() async throws {
        let journal = Journal()
        let trigger = ShutdownTrigger()
        let services = ["first", "second", "third"].map { name in
            TestService {
                journal.note("\(name) starts")
                try await gracefulShutdown()
                journal.note("\(name) ends")
                await Task.yield()
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await ShutdownTrigger.$current.withValue(trigger) {
                    try await ServiceGroup(services).run()
                }
            }
            while journal.all.count < 3 { await Task.yield() }
            trigger.trigger()
            try await group.waitForAll()
        }
        #expect(journal.all.suffix(3) == ["third ends", "second ends", "first ends"])
    }

    @Test("the first service that throws ends the group, and its error comes out")
    func failure() async {
        let journal = Journal()
        let patient = TestService {
            try await gracefulShutdown()
            journal.note("ended")
        }
        await #expect(throws: Broken.self) {
            try await ServiceGroup([patient, TestService { throw Broken() }]).run()
        }
        #expect(journal.all == ["ended"])
    }

    @Test("a service that returns ends the group too")
    func earlyEnd() async throws {
        let journal = Journal()
        let patient = TestService {
            try await gracefulShutdown()
            journal.note("ended")
        }
        try await ServiceGroup([TestService {}, patient]).run()
        #expect(journal.all == ["ended"])
    }

    @Test("who does not end in time is cancelled")
    func deadline() async throws {
        let journal = Journal()
        let trigger = ShutdownTrigger()
        let deaf = TestService {
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                journal.note("cancelled")
                throw error
            }
        }
        trigger.trigger()
        try await ShutdownTrigger.$current.withValue(trigger) {
            try await ServiceGroup([deaf], gracePeriod: .milliseconds(50)).run()
        }
        #expect(journal.all == ["cancelled"])
    }

    @Test("cancelling the group cancels its services")
    func cancellation() async {
        let journal = Journal()
        let deaf = TestService {
            do {
                try await gracefulShutdown()
            } catch {
                journal.note("cancelled")
                throw error
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await ServiceGroup([deaf, deaf]).run() }
            group.cancelAll()
        }
        #expect(journal.all.allSatisfy { $0 == "cancelled" } && journal.all.count == 2)
    }

    @Test("a handler runs once, also when the shutdown began before")
    func handlers() async {
        let journal = Journal()
        let trigger = ShutdownTrigger()
        await ShutdownTrigger.$current.withValue(trigger) {
            #expect(!isShuttingDown)
            await withGracefulShutdownHandler {
                trigger.trigger()
                trigger.trigger()
            } onGracefulShutdown: {
                journal.note("first")
            }
            #expect(isShuttingDown)
            await withGracefulShutdownHandler {
            } onGracefulShutdown: {
                journal.note("second")
            }
        }
        #expect(journal.all == ["first", "second"])
    }

    @Test("SIGTERM ends the group, a second one cancels it, SIGHUP only tells")
    func signals() async {
        // In a process of its own: signals belong to all of it.
        await #expect(processExitsWith: .exitCode(42)) {
            let thread = EventLoopThread.start("test-signals")
            let signals = SignalSource(loop: thread.loop)
            let journal = Journal()
            signals.onSignal([.hangUp]) { _ in
                journal.note("hang-up")
                kill(getpid(), SIGTERM)
            }
            let service = TestService {
                kill(getpid(), SIGHUP)
                try await gracefulShutdown()
                journal.note("graceful")
                kill(getpid(), SIGTERM)
                do { try await Task.sleep(for: .seconds(60)) } catch { journal.note("cancelled") }
            }
            do { try await ServiceGroup([service], signals: signals).run() } catch { exit(1) }
            exit(journal.all == ["hang-up", "graceful", "cancelled"] ? 42 : 2)
        }
    }
}

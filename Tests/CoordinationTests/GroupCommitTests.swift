import FreshetModel
import Redis
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import Coordination

@Suite("What many bring at once shares a call")
struct GroupCommitTests {
    /// A group whose calls are answered when the test says so.
    private final class Calls: Sendable {
        struct Call: Sendable {
            var items: [Int]
            var deadline: Duration
            var answer: GroupCommit<Int, Int>.Answers
        }
        let made = Mutex<[Call]>([])

        var count: Int { made.withLock { $0.count } }

        subscript(index: Int) -> Call { made.withLock { $0[index] } }
    }

    private func withGroup(
        _ limits: GroupCommit<Int, Int>.Limits,
        _ body: (EventLoop, GroupCommit<Int, Int>, Calls) async throws -> Void
    ) async throws {
        let loop = EventLoop(name: "group")
        BackgroundThread.start { loop.run() }
        defer { loop.stop() }
        let calls = Calls()
        let group = GroupCommit<Int, Int>(on: loop, limits) { items, deadline, answer in
            calls.made.withLock {
                $0.append(.init(items: items, deadline: deadline, answer: answer))
            }
        }
        try await body(loop, group, calls)
    }

    /// Brings numbers, all in one turn of the loop, and returns once that turn is over.
    private func bring(
        _ numbers: Range<Int>, to group: GroupCommit<Int, Int>, on loop: EventLoop,
        in tasks: inout ThrowingTaskGroup<Int, any Error>
    ) async {
        let left = Countdown(numbers.count)
        await withCheckedContinuation { (brought: CheckedContinuation<Void, Never>) in
            for number in numbers {
                tasks.addTask(executorPreference: loop) {
                    // Two blocks on, what is at the end of this turn has run.
                    if left.isLast() { loop.execute { loop.execute { brought.resume() } } }
                    return try await group.submit(number)
                }
            }
        }
    }

    private final class Countdown: Sendable {
        private let left: Mutex<Int>

        init(_ count: Int) { left = Mutex(count) }

        func isLast() -> Bool {
            left.withLock { left in
                left -= 1
                return left == 0
            }
        }
    }

    @Test("one alone leaves at once, those behind two calls share the next ones")
    func sharing() async throws {
        try await withGroup(.init(items: 50, deadline: .seconds(10))) { loop, group, calls in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for number in 0..<2 {
                    await bring(number..<(number + 1), to: group, on: loop, in: &tasks)
                    try await eventually { calls.count == number + 1 }
                }
                await bring(2..<30, to: group, on: loop, in: &tasks)
                #expect(calls.count == 2)
                loop.execute { calls[0].answer([.success(100)]) }
                try await eventually { calls.count == 3 }
                #expect(calls[2].items.count == 28)
                loop.execute {
                    calls[1].answer([.success(101)])
                    calls[2].answer(calls[2].items.map { .success($0 + 100) })
                }
                var answers: Set<Int> = []
                for try await answer in tasks { answers.insert(answer) }
                #expect(answers == Set(100..<130))
            }
        }
    }

    @Test("a call holds no more than it may, in number and in weight")
    func limits() async throws {
        try await withGroup(.init(items: 10, weight: 100, width: 1, deadline: .seconds(10))) {
            loop, group, calls in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                await bring(0..<1, to: group, on: loop, in: &tasks)
                try await eventually { calls.count == 1 }
                await bring(1..<26, to: group, on: loop, in: &tasks)
                tasks.addTask(executorPreference: loop) {
                    try await group.submit(99, weight: 1000)
                }
                var sizes: [Int] = []
                var total = 0
                while total < 27 {
                    let index = sizes.count
                    try await eventually { calls.count == index + 1 }
                    sizes.append(calls[index].items.count)
                    total += sizes[index]
                    loop.execute { calls[index].answer(calls[index].items.map { .success($0) }) }
                }
                #expect(sizes.max() == 10)
                #expect(calls[sizes.count - 1].items == [99], "too heavy to share a call")
                try await tasks.waitForAll()
            }
        }
    }

    @Test("who waited behind calls that time out fails in the same time, unsent")
    func deadline() async throws {
        let limit = Duration.milliseconds(100)
        try await withGroup(.init(width: 1, deadline: limit)) { loop, group, calls in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                await bring(0..<1, to: group, on: loop, in: &tasks)
                try await eventually { calls.count == 1 }
                #expect(calls[0].deadline <= limit)
                await bring(1..<2, to: group, on: loop, in: &tasks)
                let error = RefreshError(.redisUnavailable, "timed out", effect: .unknown)
                loop.execute {
                    _ = loop.schedule(after: limit) { calls[0].answer([.failure(error)]) }
                }
                var effects: [RefreshError.Effect] = []
                while let result = await tasks.nextResult() {
                    guard case .failure(let error as RefreshError) = result else { continue }
                    effects.append(error.effect)
                }
                #expect(effects == [.unknown, .none])
                #expect(calls.count == 1)
            }
        }
    }
}

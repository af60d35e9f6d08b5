import Glibc
import Synchronization
import Testing

@testable import Runtime

@Suite("Event loop")
struct EventLoopTests {
    @Test("blocks run on the loop's thread in order, from inside and outside")
    func blocks() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        let seen = await withCheckedContinuation { (done: CheckedContinuation<[Int], Never>) in
            loop.execute {
                var seen: [Int] = [loop.isCurrent ? 1 : 0]
                loop.schedule(after: .milliseconds(2)) {
                    seen.append(3)
                    done.resume(returning: seen)
                }
                loop.schedule(after: .milliseconds(1)) { seen.append(2) }
                let never = loop.schedule(after: .milliseconds(1)) { seen.append(9) }
                loop.cancel(never)
            }
        }
        #expect(seen == [1, 2, 3])
        #expect(!loop.isCurrent)
    }

    @Test("a task on the loop stays there across suspensions")
    func tasks() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        let places = await loop.perform {
            var places = [loop.isCurrent]
            await loop.sleep(for: .milliseconds(1))
            places.append(loop.isCurrent)
            await Self.somewhere()
            places.append(loop.isCurrent)
            let gate = Gate()
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    gate.open()
                    return loop.isCurrent
                }
                await gate.wait()
                for await place in group { places.append(place) }
            }
            return places
        }
        #expect(places == [true, true, true, true])
    }

    private static func somewhere() async { await Task.yield() }

    @Test("an error that is thrown on the loop arrives")
    func errors() async {
        struct Failure: Error {}
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        await #expect(throws: Failure.self) {
            try await thread.loop.perform { () throws(Failure) in throw Failure() }
        }
    }

    @Test("a cancelled sleep ends at once")
    func cancelledSleep() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        let start = EventLoop.monotonicNanoseconds()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await loop.perform { await loop.sleep(for: .seconds(60)) } }
            group.cancelAll()
        }
        #expect(EventLoop.monotonicNanoseconds() - start < 10_000_000_000)
    }

    @Test("cancelled timers never run, all others do")
    func manyTimers() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        let seen = await withCheckedContinuation { (done: CheckedContinuation<[Int], Never>) in
            loop.execute {
                var seen: [Int] = []
                for number in (0..<5000).reversed() {
                    let timer = loop.schedule(after: .microseconds(number * 4)) {
                        seen.append(number)
                        if seen.count == 500 { done.resume(returning: seen) }
                    }
                    if number % 10 != 0 { loop.cancel(timer) }
                }
            }
        }
        #expect(seen.sorted() == Array(stride(from: 0, to: 5000, by: 10)))
    }

    @Test("deadlines come in order, equal ones in the order they were pushed")
    func heap() {
        var heap = TimerHeap()
        var deadlines: [(deadline: UInt64, number: UInt64)] = []
        for number in 0..<2000 as Range<UInt64> {
            let deadline = (number &* 2_654_435_761) % 512
            deadlines.append((deadline, number))
            heap.push(deadline: deadline, number: number)
        }
        heap.keep { $0 % 3 != 0 }
        deadlines.removeAll { $0.number % 3 == 0 }
        #expect(heap.count == deadlines.count)
        deadlines.sort { $0 < $1 }
        var popped: [UInt64] = []
        while let number = heap.popDue(255) { popped.append(number) }
        #expect(heap.earliest == 256)
        while let number = heap.popDue(.max) { popped.append(number) }
        #expect(popped == deadlines.map(\.number))
    }

    @Test("hooks run at the end of each turn, those that resume before those that flush")
    func hooks() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        let seen = await withCheckedContinuation { (done: CheckedContinuation<[String], Never>) in
            loop.execute {
                var seen: [String] = []
                var isDone = false
                let removed = loop.addEndOfTurnHook { seen.append("removed") }
                loop.addEndOfTurnHook {
                    seen.append("flush")
                    if !isDone { done.resume(returning: seen) }
                    isDone = true
                }
                loop.addEndOfTurnHook(.resume) { seen.append("resume") }
                loop.removeEndOfTurnHook(removed)
                loop.execute {}
            }
        }
        #expect(seen == ["resume", "flush"])
    }

    @Test("a descriptor tells that it is readable, and that its other end has gone")
    func descriptors() async {
        let thread = EventLoopThread.start("test-loop")
        defer { thread.stop() }
        let loop = thread.loop
        var ends: (Int32, Int32) = (0, 0)
        let made = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe socketpair(
                AF_UNIX, Int32(SOCK_STREAM.rawValue), 0,
                bytes.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        #expect(made == 0)
        let (near, far) = ends
        let told = await withCheckedContinuation { (done: CheckedContinuation<[Bool], Never>) in
            loop.execute {
                var told: [Bool] = []
                loop.add(near, [.read]) { ready in
                    var byte: UInt8 = 0
                    let count = unsafe read(near, &byte, 1)
                    told.append(ready.contains(.hangUp))
                    if count == 0 {
                        loop.remove(near)
                        done.resume(returning: told)
                    } else {
                        close(far)
                    }
                }
                var byte: UInt8 = 1
                _ = unsafe write(far, &byte, 1)
            }
        }
        close(near)
        #expect(told == [false, true])
    }
}

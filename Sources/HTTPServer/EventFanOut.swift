package import Runtime

/// Sends chunks to thousands of streams without holding up the loop: a turn sends for about 2 ms,
/// the next turn goes on. Each stream gets all chunks in order.
package final class EventFanOut {
    private struct Member {
        let stream: EventStream
        /// The first chunk it gets.
        let first: UInt64
    }

    private static let sliceNanoseconds: UInt64 = 2_000_000
    /// How many are sent to between two looks at the clock.
    private static let step = 32

    private let loop: EventLoop
    private var members: [Member?] = []
    private var places: [ObjectIdentifier: Int] = [:]
    private var queue: [EventChunk] = []
    /// The number of the first chunk in the queue.
    private var current: UInt64 = 0
    private var cursor = 0
    private var isRunning = false
    private var isEnding = false

    package var count: Int { places.count }

    package init(loop: EventLoop) { self.loop = loop }

    /// Adds a stream; it gets what is broadcast from now on, and leaves when it closes.
    package func add(_ stream: EventStream) {
        guard places[ObjectIdentifier(stream)] == nil else { return }
        places[ObjectIdentifier(stream)] = members.count
        members.append(Member(stream: stream, first: current + UInt64(queue.count)))
        stream.addCloseHook { [unowned stream] in self.remove(stream) }
    }

    /// Takes a stream out; what it did not get yet, it does not get.
    package func remove(_ stream: EventStream) {
        guard let place = places.removeValue(forKey: ObjectIdentifier(stream)) else { return }
        members[place] = nil
        if !isRunning && members.count > 64 && places.count < members.count / 2 { compact() }
    }

    /// Sends `chunk` to all streams that are in now.
    package func broadcast(_ chunk: EventChunk) {
        guard !isEnding, !places.isEmpty else { return }
        queue.append(chunk)
        start()
    }

    /// Ends all streams after what was broadcast.
    package func finish() {
        isEnding = true
        start()
    }

    private func start() {
        guard !isRunning else { return }
        isRunning = true
        run()
    }

    private func run() {
        let deadline = EventLoop.monotonicNanoseconds() + Self.sliceNanoseconds
        while let chunk = queue.first {
            while cursor < members.count {
                let end = min(cursor + Self.step, members.count)
                for place in cursor..<end {
                    if let member = members[place], member.first <= current {
                        member.stream.send(chunk)
                    }
                }
                cursor = end
                if cursor < members.count && EventLoop.monotonicNanoseconds() > deadline {
                    return continueNextTurn()
                }
            }
            queue.removeFirst()
            current += 1
            cursor = 0
            if !queue.isEmpty && EventLoop.monotonicNanoseconds() > deadline {
                return continueNextTurn()
            }
        }
        if isEnding { return end(deadline) }
        isRunning = false
        compact()
    }

    private func end(_ deadline: UInt64) {
        while cursor < members.count {
            members[cursor]?.stream.finish()
            cursor += 1
            if cursor % Self.step == 0 && EventLoop.monotonicNanoseconds() > deadline {
                return continueNextTurn()
            }
        }
        isRunning = false
        isEnding = false
        cursor = 0
        compact()
    }

    private func continueNextTurn() {
        loop.schedule(after: .zero) { self.run() }
    }

    private func compact() {
        guard places.count < members.count else { return }
        members.removeAll { $0 == nil }
        places.removeAll(keepingCapacity: true)
        for (place, member) in members.enumerated() {
            if let member { places[ObjectIdentifier(member.stream)] = place }
        }
    }
}

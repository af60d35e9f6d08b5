/// A binary heap of deadlines, earliest first; equal deadlines in the order they were pushed.
struct TimerHeap {
    private struct Entry {
        var deadline: UInt64
        var number: UInt64

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : number < other.number
        }
    }

    private var entries: [Entry] = []

    /// The earliest deadline, in nanoseconds of the monotonic clock.
    var earliest: UInt64? { entries.first?.deadline }

    var count: Int { entries.count }

    /// Drops all entries but those whose number `isWanted`.
    mutating func keep(_ isWanted: (UInt64) -> Bool) {
        let all = entries
        entries.removeAll(keepingCapacity: true)
        for entry in all where isWanted(entry.number) {
            push(deadline: entry.deadline, number: entry.number)
        }
    }

    mutating func push(deadline: UInt64, number: UInt64) {
        entries.append(Entry(deadline: deadline, number: number))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isBefore(entries[parent]) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes and returns the number of the earliest entry, when it is due at `now`.
    mutating func popDue(_ now: UInt64) -> UInt64? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown()
        }
        return first.number
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { return }
            let right = left + 1
            let child =
                right < entries.count && entries[right].isBefore(entries[left]) ? right : left
            guard entries[child].isBefore(entries[parent]) else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}

/// A queue over a ring: both ends in constant time, positions for a binary search.
struct Fifo<Element> {
    private var slots: [Element?] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var first: Element? { isEmpty ? nil : slots[head] }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[slot(count)] = element
        count += 1
    }

    @discardableResult
    mutating func removeFirst() -> Element {
        guard let element = slots[head], count > 0 else { preconditionFailure("an empty queue") }
        slots[head] = nil
        head = head + 1 == slots.count ? 0 : head + 1
        count -= 1
        return element
    }

    /// Removes all, oldest first.
    mutating func removeAll() -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        while !isEmpty { elements.append(removeFirst()) }
        return elements
    }

    /// Keeps those for which `isKept` is true, in order, and answers with the others.
    mutating func removeAll(unless isKept: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for element in removeAll() {
            if isKept(element) { append(element) } else { removed.append(element) }
        }
        return removed
    }

    /// The element at `position`, 0 for the oldest.
    subscript(position: Int) -> Element {
        get {
            guard position < count, let element = slots[slot(position)] else {
                preconditionFailure("position \(position) of \(count)")
            }
            return element
        }
        set {
            precondition(position < count, "position \(position) of \(count)")
            slots[slot(position)] = newValue
        }
    }

    private func slot(_ position: Int) -> Int {
        let index = head + position
        return index < slots.count ? index : index - slots.count
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(max(16, slots.count * 2))
        for position in 0..<count { larger.append(slots[slot(position)]) }
        larger.append(contentsOf: repeatElement(nil, count: max(16, slots.count * 2) - count))
        slots = larger
        head = 0
    }
}

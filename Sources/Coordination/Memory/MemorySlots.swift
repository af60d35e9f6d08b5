internal import FreshetModel

/// The slots under a cap that counts over several partitions: the counterpart of the `slots` set.
struct MemorySlots: Sendable {
    private var deadlines = RankedSet<Slot, Timestamp>()

    /// See `RefreshStore.takeSlots`.
    mutating func take(_ wanted: [Slot], maximum: Int, at now: Timestamp) -> [Bool] {
        var has = wanted.map { deadlines.contains($0) }
        for (slot, isHad) in zip(wanted, has) where isHad {
            deadlines.insert(slot, at: now + slot.lease)
        }
        for slot in deadlines.members(upTo: now, limit: .max) { deadlines.remove(slot) }
        // A clock that stepped back leaves deadlines further away than their lease.
        for element in deadlines.elements.suffix(20)
        where element.score > now + element.member.lease {
            deadlines.insert(element.member, at: now + element.member.lease)
        }
        for (index, slot) in wanted.enumerated()
        where !has[index] && deadlines.count < maximum {
            deadlines.insert(slot, at: now + slot.lease)
            has[index] = true
        }
        return has
    }

    /// See `RefreshStore.giveBackSlots`.
    mutating func giveBack(_ slots: [Slot]) {
        for slot in slots { deadlines.remove(slot) }
    }
}

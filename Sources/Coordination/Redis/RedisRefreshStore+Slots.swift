internal import FreshetModel
internal import Redis

extension RedisRefreshStore {
    /// See `RefreshStore.takeSlots`. Script `slots`; the first partition knows them all.
    public func takeSlots(
        _ slots: [Slot], maximum: Int
    ) async throws(RefreshError) -> [Bool] {
        var answers: [Bool] = []
        for start in stride(from: 0, to: slots.count, by: Limits.scriptMembers) {
            let slice = slots[start..<min(start + Limits.scriptMembers, slots.count)]
            let reply = try await run(
                RefreshScripts.slots, in: spaces[0],
                [.integer(Int64(max(0, maximum)))] + slice.map { .text($0.text) })
            for place in 0..<slice.count { answers.append(try reply.int(place) == 1) }
        }
        return answers
    }

    /// See `RefreshStore.giveBackSlots`. Script `slots`.
    public func giveBackSlots(_ slots: [Slot]) async throws(RefreshError) {
        for start in stride(from: 0, to: slots.count, by: Limits.scriptMembers) {
            let slice = slots[start..<min(start + Limits.scriptMembers, slots.count)]
            _ = try await run(
                RefreshScripts.slots, in: spaces[0], ["-1"] + slice.map { .text($0.text) })
        }
    }
}

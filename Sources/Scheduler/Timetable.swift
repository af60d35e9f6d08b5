internal import Coordination
internal import FreshetModel
internal import Runtime

/// The duty that queues the refreshes of schedules, `every` and `cron`, on the store's clock.
struct Timetable: Sendable {
    /// How often it is looked whether something changed, such as a purge; what is due before is
    /// asked for in time.
    static let interval = Duration.seconds(1)

    let settings: Settings
    let store: any RefreshStore
    let elector: Elector
    let pace: Pace
    let health: StoreHealth
    let elected: Nudge

    /// Looks every second while this scheduler leads, until cancelled.
    func run() async {
        var entries = settings.resources.values.sorted { $0.name < $1.name }
            .compactMap { ScheduledKey($0) }
        warnOfKeyless()
        guard !entries.isEmpty else { return }
        var led = false
        while !Task.isCancelled {
            let leads = elector.leads
            if leads, !led { for index in entries.indices { entries[index].forget() } }
            led = leads
            var pause = Self.interval
            if leads {
                do throws(RefreshError) {
                    pause = min(pause, max(try await tick(&entries), .milliseconds(10)))
                    health.succeeded()
                } catch {
                    health.failed(error, during: "schedule")
                }
            }
            await pace.wait(for: elected, atMost: pause)
        }
    }

    private func warnOfKeyless() {
        for resource in settings.resources.values
        where resource.schedule != nil && ScheduledKey(resource) == nil {
            Log.warning(
                "schedule.no_key",
                ["resource": resource.name, "hint": "every parameter needs a default"])
        }
    }

    /// Asks for what is due. Returns the time until the next is.
    func tick(_ entries: inout [ScheduledKey]) async throws(RefreshError) -> Duration {
        var pause = Self.interval
        let now = try await store.now()
        for index in entries.indices {
            guard case .cron = entries[index].schedule else { continue }
            try await tickCron(&entries[index], now)
            if let next = entries[index].nextSlot { pause = min(pause, next - now) }
        }
        let regular = entries.indices.filter {
            if case .every = entries[$0].schedule { true } else { false }
        }
        guard !regular.isEmpty else { return pause }
        let statuses = try await store.statuses(regular.map { entries[$0].key })
        for (index, status) in zip(regular, statuses) {
            guard let wait = entries[index].untilDue(status) else { continue }
            if wait > .zero {
                pause = min(pause, wait)
            } else if try await ask(entries[index]) {
                entries[index].asked(at: status.now)
            }
        }
        return pause
    }

    private func tickCron(_ entry: inout ScheduledKey, _ now: Timestamp) async throws(RefreshError)
    {
        let name = entry.resource.name
        if entry.nextSlot == nil {
            let last = try await store.lastFired(name)
            // From here on a slot that nobody was there for is known to be missed.
            if last == nil { _ = try await store.fire(name, slot: now) }
            entry.plan(lastFired: last, now: now)
        }
        guard let slot = entry.slotDue(at: now) else { return }
        // Another leader may have been here since.
        if let last = try await store.lastFired(name), last >= slot {
            entry.plan(lastFired: last, now: now)
            return
        }
        // Asked first and noted then: a leader that dies between the two is made up for by one
        // refresh too many, which joins the first when it still waits, not by one too few.
        guard try await ask(entry) else { return }
        _ = try await store.fire(name, slot: slot)
        entry.plan(lastFired: slot, now: now)
    }

    /// Returns whether the key's refresh is under way.
    private func ask(_ entry: ScheduledKey) async throws(RefreshError) -> Bool {
        var request = RefreshRequest(
            key: entry.key, origin: .schedule, priority: entry.resource.priority)
        request.maximumQueue = settings.refresh.maximumQueue
        switch try await store.request(request) {
        case .accepted(let receipt):
            Log.info(
                "schedule.fired",
                ["key": entry.key, "job": receipt.job.id, "status": receipt.status.rawValue])
        case .queueFull(let waiting):
            Log.warning("schedule.queue_full", ["key": entry.key, "waiting": waiting])
            return false
        case .notNeeded, .coolingDown: break
        }
        return true
    }
}

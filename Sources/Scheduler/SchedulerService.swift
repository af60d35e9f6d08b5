package import Coordination
package import FreshetModel
package import Runtime

/// A scheduler: staleness monitor, schedules and maintenance. Any number may run; one leads and does
/// the first two.
package struct SchedulerService: Service {
    private let id: String
    private let settings: Settings
    private let store: any RefreshStore
    private let loop: EventLoop?
    private let pace: Pace
    private let health = StoreHealth(role: "scheduler")
    private let elector: Elector
    private let monitor: StalenessMonitor
    private let timetable: Timetable

    /// A scheduler that does nothing until `run`.
    ///
    /// - Parameters:
    ///   - id: Unique per process.
    ///   - loop: Where it runs; `nil`: the global executor.
    package init(
        settings: Settings, store: any RefreshStore, id: String, loop: EventLoop? = nil,
        pace: Pace? = nil
    ) {
        let pace = pace ?? .machine(loop: loop)
        self.id = id
        self.settings = settings
        self.store = store
        self.loop = loop
        self.pace = pace
        let wakeMonitor = Nudge()
        let wakeTimetable = Nudge()
        elector = Elector(
            id: id, store: store, pace: pace, health: health,
            onElection: [wakeMonitor, wakeTimetable])
        monitor = StalenessMonitor(
            settings: settings, store: store, elector: elector, pace: pace, health: health,
            elected: wakeMonitor)
        timetable = Timetable(
            settings: settings, store: store, elector: elector, pace: pace, health: health,
            elected: wakeTimetable)
    }

    /// Schedules until shut down or cancelled.
    package func run() async throws {
        Log.info("scheduler.started", ["scheduler": id, "resources": settings.resources.count])
        if let loop {
            await withTaskExecutorPreference(loop) { await schedule() }
        } else {
            await schedule()
        }
        Log.info("scheduler.stopped", ["scheduler": id])
    }

    private func schedule() async {
        await withTaskGroup { duties in
            duties.addTask { await elector.run() }
            duties.addTask { await monitor.run() }
            duties.addTask { await timetable.run() }
            duties.addTask {
                await Maintainer(
                    store: store, keepJobs: settings.refresh.keepJobs, pace: pace, health: health
                ).run()
            }
            // Cancellation is an end as good as a graceful one: nothing is held here but the lead.
            try? await gracefulShutdown()
            duties.cancelAll()
        }
        await elector.resign()
    }
}

package import Coordination
public import FreshetModel
public import RefreshSources
package import Runtime

/// Finds the source of a resource; `nil`: this worker does not serve it.
public typealias SourceProvider = (Resource) throws -> (any RefreshSource)?

/// A worker: claims jobs, runs their sources, keeps their leases and publishes what they bring.
///
///     claim loop ──► slot ──► source (global executor) ──► publish, claim the next ──► slot …
///                      ▲                 │ progress
///        lease keeper, time keeper, cancellations
///
/// Nothing the store does ends it. A graceful shutdown lets jobs finish up to `drain_timeout`, then
/// stops their sources and hands them back; cancellation hands them back at once.
package struct WorkerService: Service {
    /// How long a source that was told to stop may take before it is left behind: `command` kills
    /// its process group after 5 s and waits a second for its end.
    package static let stopGrace = Duration.seconds(7)

    private let id: String
    private let settings: Settings
    private let store: any RefreshStore
    private let loop: EventLoop?
    private let pace: Pace

    private let slots: Slots
    private let health = StoreHealth(role: "worker")
    private let drain = Drain()
    private let attempts: RunningAttempts
    private let runner: JobRunner
    private let announcer: Announcer
    private let claimer: Claimer

    /// A worker that does nothing until `run`.
    ///
    /// - Parameters:
    ///   - id: Unique per process, see `ProcessName`.
    ///   - version: Of Freshet, shown to operators.
    ///   - loop: Where everything but the sources runs; `nil`: the global executor.
    ///   - sources: Asked once for each resource; what it throws, this throws.
    package init(
        settings: Settings, store: any RefreshStore, id: String = ProcessName.make(),
        version: String, loop: EventLoop? = nil, pace: Pace? = nil, sources: SourceProvider
    ) throws {
        let pace = pace ?? .machine(loop: loop)
        var served: [ResourceName: ServedResource] = [:]
        for (name, resource) in settings.resources {
            guard let source = try sources(resource) else { continue }
            served[name] = ServedResource(resource, source: source)
        }
        self.id = id
        self.settings = settings
        self.store = store
        self.loop = loop
        self.pace = pace
        slots = Slots(capacity: settings.worker.concurrency)
        attempts = RunningAttempts(
            pace: pace, grace: Self.stopGrace,
            maximum: settings.refresh.maximumConcurrent ?? .max)
        runner = JobRunner(
            settings: settings, resources: served, store: store, attempts: attempts,
            breakers: Breakers(),
            settler: Settler(store: store, pace: pace, health: health, drain: drain),
            drain: drain, pace: pace, unknown: UnknownResources())
        announcer = Announcer(
            id: id, version: version, store: store, slots: slots, pace: pace, health: health)
        claimer = Claimer(
            store: store, slots: slots, drain: drain, pace: pace, health: health, worker: id,
            cap: SharedCap(settings, partitions: store.partitions),
            request: Self.claimRequests(settings, worker: id))
    }

    /// How long a process should let a worker end: the drain, the sources' grace and the hand-back.
    package static func gracePeriod(_ settings: Settings) -> Duration {
        settings.worker.drainTimeout + stopGrace + .seconds(2)
    }

    private static func claimRequests(
        _ settings: Settings, worker: String
    ) -> @Sendable (Int, Int) -> ClaimRequest {
        let standard = Duration.seconds(10)
        let leases = settings.resources.mapValues(\.lease).filter { $0.value != standard }
        let cap = settings.refresh.maximumConcurrent
        return { partition, limit in
            var request = ClaimRequest(
                worker: worker, partition: partition, limit: limit, lease: standard)
            request.leases = leases
            request.maximumConcurrent = cap
            return request
        }
    }

    // MARK: running

    /// Works until shut down.
    package func run() async throws {
        Log.info(
            "worker.started",
            [
                "worker": id, "capacity": slots.capacity, "partitions": store.partitions,
                "resources": runner.resources.count,
            ])
        // Cancellation does not reach the calls under way: what is handed back must arrive.
        await withTaskCancellationHandler {
            await Unattached.run { [self] in
                if let loop {
                    await withTaskExecutorPreference(loop) { await work() }
                } else {
                    await work()
                }
            }
        } onCancel: {
            handBackAll()
        }
        Log.info("worker.stopped", ["worker": id])
    }

    private func work() async {
        await withTaskGroup { duties in
            duties.addTask { await attempts.keepTime() }
            duties.addTask { await attempts.keepLeases(in: store, health: health) }
            duties.addTask { await heedCancellations() }
            duties.addTask { await announcer.run() }
            duties.addTask {
                await TimesTeller(
                    runner.resources, store: store, pace: pace, health: health
                ).run()
            }
            duties.addTask {
                await Maintainer(
                    store: store, keepJobs: settings.refresh.keepJobs, pace: pace, health: health
                ).run()
            }
            for watch in WatchDuty.all(settings, store: store, pace: pace, health: health)
            where runner.resources[watch.key.resource] != nil {
                duties.addTask { await watch.run() }
            }
            duties.addTask { await heedShutdown() }
            await claimAndRun()
            duties.cancelAll()
        }
        await announcer.withdraw()
    }

    /// Returns when no new job is begun and every begun one has ended.
    private func claimAndRun() async {
        let (granted, feed) = AsyncStream.makeStream(of: GrantedClaim.self)
        await withTaskGroup { group in
            group.addTask {
                await claimer.run { feed.yield($0) }
                feed.finish()
            }
            group.addTask {
                await withDiscardingTaskGroup { jobs in
                    for await claim in granted { jobs.addTask { await runChain(claim) } }
                }
            }
        }
    }

    /// A slot's work: a job, and the jobs that were claimed with the publication before.
    private func runChain(_ first: GrantedClaim) async {
        var granted: GrantedClaim? = first
        var count = 0
        while let current = granted {
            count += 1
            let partition = current.claim.key.partition(of: store.partitions)
            let mayChain = PartitionRotation.mayChain(after: count, partitions: store.partitions)
            let next = mayChain ? claimer.request(partition, 1) : nil
            granted = await runner.run(current, next: next)
        }
        if let slot = first.slot { await claimer.giveBack([slot]) }
        slots.release()
    }

    // MARK: stopping

    private func heedCancellations() async {
        for await nonce in store.cancellations() { attempts.stop(nonce, .cancelled) }
    }

    private func heedShutdown() async {
        do { try await gracefulShutdown() } catch { return }
        let timeout = settings.worker.drainTimeout
        Log.info(
            "worker.draining",
            ["worker": id, "running": slots.taken, "timeout_seconds": timeout.inSeconds])
        drain.begin()
        slots.wake()
        await pace.sleep(timeout)
        guard !Task.isCancelled else { return }
        attempts.stopAll(.shutdown)
        await pace.sleep(Self.stopGrace + .seconds(1))
        if !Task.isCancelled { drain.end() }
    }

    /// On cancellation, from any thread: no source is waited for.
    private func handBackAll() {
        drain.end()
        slots.wake()
        attempts.leaveAll(.shutdown)
    }
}

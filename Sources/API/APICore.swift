internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// All parts of an API process, put together. They live on one loop and share nothing with others.
final class APICore {
    /// How often the store's log is compared with the feed, copies are trimmed and reads are told.
    private static let tick = Duration.milliseconds(400)
    /// Ticks between two checks of all states: what no event tells, such as keys that went for room.
    private static let ticksPerCheck = 150
    /// Keys told to have been read in one call.
    private static let readsPerCall = 1000

    let settings: Settings
    let admission: Admission
    let shares: StreamShares
    let store: any RefreshStore
    let metricsRegistry: Metrics
    let metrics: APIMetrics
    private let storeMetrics: StoreMetrics
    let errands: Errands<APICore>
    let time: StoreTime
    let table: KeyTable
    let resolver: KeyResolver
    let loader: PayloadLoader
    let asker: RefreshAsker
    let hub: EventHub
    let streams: KeyStreams
    let checks: StatusChecks
    let follower: FeedFollower
    let reads: ReadHandler
    let keyStreams: KeyStreamHandler
    let events: EventStreamHandler
    let asks: AskHandler
    let dead: DeadHandler
    let jobs: JobHandler
    let statuses: StatusHandler
    let queue: QueueHandler
    let probes: ProbeHandler
    let openAPI: HTTPReply
    let dashboard = DashboardPage()
    private var unsent: [ResourceName: ReadCounts] = [:]

    init(
        settings: Settings, store: any RefreshStore, loop: EventLoop, errands: Errands<APICore>,
        metrics registry: Metrics, version: String, durability: @escaping @Sendable () -> Durability
    ) {
        self.settings = settings
        admission = Admission(settings.api)
        shares = StreamShares(
            perClient: settings.api.limits.streamsPerClient(of: settings.api), admission: admission)
        self.store = store
        self.errands = errands
        metricsRegistry = registry
        metrics = APIMetrics(registry)
        storeMetrics = StoreMetrics(registry, settings)
        let health = StoreHealth(role: "api")
        time = StoreTime(loop: loop)
        resolver = KeyResolver(settings)
        table = KeyTable(loop: loop, metrics: metrics, memoryLimit: settings.api.memoryLimit)
        loader = PayloadLoader(
            store: store, table: table, time: time, errands: errands, metrics: metrics,
            health: health)
        asker = RefreshAsker(
            store: store, table: table, loader: loader, errands: errands,
            maximumQueue: settings.refresh.maximumQueue, health: health)
        hub = EventHub(loop: loop, partitions: store.partitions)
        let writer = KeyStreamWriter(
            store: store, table: table, loader: loader, time: time)
        streams = KeyStreams(
            loop: loop, table: table, time: time, errands: errands, writer: writer)
        let updates = KeyUpdates(table: table, loader: loader, streams: streams)
        checks = StatusChecks(store: store, table: table, time: time, updates: updates)
        follower = FeedFollower(
            store: store, time: time, errands: errands, checks: checks, updates: updates, hub: hub,
            health: health)
        let receipts = ReceiptAnswer(
            maximumQueue: settings.refresh.maximumQueue, durability: durability)
        let renderer = PayloadRenderer(admission: admission)
        reads = ReadHandler(
            table: table, loader: loader, asker: asker, time: time,
            answers: HitAnswer(renderer: renderer, loader: loader), store: store,
            receipts: receipts)
        keyStreams = KeyStreamHandler(
            store: store, table: table, reads: reads, streams: streams, writer: writer,
            follower: follower)
        events = EventStreamHandler(
            store: store, hub: hub, writer: writer, follower: follower)
        asks = AskHandler(
            store: store, resolver: resolver, table: table, asker: asker, time: time,
            receipts: receipts,
            keepJobs: settings.refresh.keepJobs)
        dead = DeadHandler(store: store, resolver: resolver, asks: asks, receipts: receipts)
        jobs = JobHandler(
            store: store, resources: settings.resources, keepJobs: settings.refresh.keepJobs)
        statuses = StatusHandler(
            store: store, checks: checks, table: table, loader: loader, resolver: resolver)
        queue = QueueHandler(store: store)
        probes = ProbeHandler(store: store, probeKey: ProbeHandler.key(settings))
        openAPI = JSONAnswer.text(OpenAPIDocument(settings, version: version).bytes)
        let follower = follower
        writer.position = { [unowned follower] key in follower.position(of: key) }
        let table = table
        let loader = loader
        hub.onTold = { [unowned table, unowned loader] key, version in
            if let entry = table.find(key) { loader.told(version, of: entry) }
        }
    }

    /// What is done again and again, until the task is cancelled.
    func runTicks() async {
        var ticks = 0
        while !Task.isCancelled {
            await time.loop.sleep(for: Self.tick)
            if Task.isCancelled { break }
            ticks += 1
            table.trim()
            await follower.compare()
            await checks.checkBehind()
            if ticks % 2 == 0 { await tellReads() }
            if ticks % Self.ticksPerCheck == 0 { await checks.checkAll() }
        }
    }

    /// Tells the store which keys were read, and the counts.
    func tellReads() async {
        var (keys, counts) = table.takeReads()
        for (name, count) in unsent { counts[name, default: ReadCounts()].add(count) }
        unsent.removeAll()
        var rest = keys[...]
        repeat {
            let slice = Array(rest.prefix(Self.readsPerCall))
            rest = rest.dropFirst(slice.count)
            guard !slice.isEmpty || !counts.isEmpty else { return }
            do {
                try await store.recordReads(slice, counts: counts)
                counts.removeAll()
            } catch {
                // Counted twice would be worse than told late; the keys will be read again.
                if error.effect == .none { unsent = counts }
                return
            }
        } while !rest.isEmpty
    }

    /// Takes over keys and limits; streams of keys that are gone, or may do less now, end.
    func reload(_ settings: APISettings) {
        let wasClosed = admission.isClosed
        admission.reload(settings)
        shares.endRevoked()
        // Answers say to caches whether they are for one caller.
        guard wasClosed != admission.isClosed else { return }
        for entry in table.all { entry.copy?.forgetAnswers() }
    }

    /// Ends all streams: their clients come back to another process.
    func endStreams() {
        hub.finish()
        streams.finish()
    }

    /// Sets what is measured only when somebody looks.
    func collect() async {
        metrics.copies.set(table.copyCount)
        await storeMetrics.collect(store)
    }
}

extension ReadCounts {
    /// Adds further counts.
    mutating func add(_ other: ReadCounts) {
        hits += other.hits
        misses += other.misses
        staleHits += other.staleHits
    }
}

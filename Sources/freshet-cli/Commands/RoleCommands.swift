internal import API
internal import Coordination
internal import FreshetModel
internal import Redis
internal import RefreshSources
internal import Runtime
internal import Scheduler
internal import Worker

/// `freshet api`, `worker` and `scheduler`: one process of one role. They start whether Redis
/// answers or not.
enum RoleCommands {
    static func api(_ context: CallContext) throws(CallError) -> ExitCode {
        let (path, settings) = try prepare(context)
        let reload = ConfigurationReload(
            path: path, environment: context.environment, overrides: context.overrides(),
            running: settings)
        return LoopMain.run("api") { loop in
            await run("api", settings, loop, grace: .seconds(30)) { store, hangUps in
                let api = try APIService(
                    settings: settings, store: store, loop: loop, version: Build.version,
                    durability: { store.durability })
                let port = try await api.start()
                Log.info("api.started", ["port": port, "resources": settings.resources.count])
                return [api, hangUps.doing { await reload.perform(on: api) }]
            }
        }
    }

    static func worker(_ context: CallContext) throws(CallError) -> ExitCode {
        let settings = try prepare(context).settings
        return LoopMain.run("worker") { loop in
            await run("worker", settings, loop, grace: WorkerService.gracePeriod(settings)) {
                store, hangUps throws in
                let worker = try WorkerService(
                    settings: settings, store: store, version: Build.version, loop: loop
                ) { resource in
                    try resource.source.map { try SourceFactory.make($0, for: resource) }
                }
                return [worker, hangUps.refusing("worker")]
            }
        }
    }

    static func scheduler(_ context: CallContext) throws(CallError) -> ExitCode {
        let settings = try prepare(context).settings
        return LoopMain.run("scheduler") { loop in
            await run("scheduler", settings, loop, grace: .seconds(10)) { store, hangUps in
                let scheduler = SchedulerService(
                    settings: settings, store: store, id: ProcessName.make(), loop: loop)
                return [scheduler, hangUps.refusing("scheduler")]
            }
        }
    }

    private static func prepare(
        _ context: CallContext
    ) throws(CallError) -> (path: String, settings: Settings) {
        try context.configureLog()
        ProcessLimits.raiseDescriptors()
        return try context.requiredSettings()
    }

    private static func run(
        _ role: String, _ settings: Settings, _ loop: EventLoop, grace: Duration,
        _ make: (RedisRefreshStore, HangUpDuty) async throws -> [any Service]
    ) async -> ExitCode {
        let signals = SignalSource(loop: loop)
        let hangUps = HangUpDuty(signals)
        do {
            let store = try RedisRefreshStore(
                settings: settings.redis, loop: loop, name: "freshet-\(role)")
            defer { store.close() }
            try await ServiceGroup(
                [ServerWatch(store: store, loop: loop)] + (try await make(store, hangUps)),
                gracePeriod: grace, signals: signals
            ).run()
            return .done
        } catch let error as RedisURLError {
            StandardStream.error.write("freshet: redis.url: \(error)\n")
            return .configuration
        } catch let error as SourceError {
            StandardStream.error.write("freshet: \(error)\n")
            return .configuration
        } catch {
            Log.error("\(role).failed", ["error": "\(error)"])
            return .failed
        }
    }
}

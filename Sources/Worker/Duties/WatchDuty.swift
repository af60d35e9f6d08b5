internal import Coordination
internal import FreshetModel
internal import RefreshSources
internal import Runtime

/// The duty that asks for a refresh when a file below a watched directory changed.
///
/// Every worker that sees the directory watches it; they ask for the same key and so for one job.
struct WatchDuty: Sendable {
    /// A directory that could not be watched is tried again after this.
    static let retryInterval = Duration.seconds(60)

    let key: Key
    let resource: Resource
    let definition: DirectorySource
    let store: any RefreshStore
    let maximumQueue: Int
    let pace: Pace
    let health: StoreHealth

    /// The duties of the resources that say `watch: true`.
    static func all(
        _ settings: Settings, store: any RefreshStore, pace: Pace, health: StoreHealth
    ) -> [WatchDuty] {
        settings.resources.values.compactMap { resource in
            guard case .directory(let definition)? = resource.source, definition.watch else {
                return nil
            }
            do throws(Resource.KeyError) {
                return WatchDuty(
                    key: try resource.key(parameters: []), resource: resource,
                    definition: definition, store: store,
                    maximumQueue: settings.refresh.maximumQueue, pace: pace, health: health)
            } catch {
                Log.warning(
                    "watch.no_key",
                    ["resource": resource.name, "hint": "every parameter needs a default"])
                return nil
            }
        }
    }

    /// Watches until cancelled.
    func run() async {
        do throws(SourceError) {
            let watcher = try DirectoryWatcher(definition, for: resource)
            while !Task.isCancelled {
                await heed(watcher.events())
                await pace.sleep(Self.retryInterval)
            }
        } catch {
            Log.error("watch.impossible", ["resource": resource.name, "error": error.message])
        }
    }

    /// Asks for what each event tells, until the events end.
    func heed(_ events: AsyncStream<DirectoryWatcher.Event>) async {
        for await event in events {
            switch event {
            case .changed(let scope): await ask(scope)
            case .failed(let error):
                Log.error(
                    "watch.failed",
                    [
                        "resource": resource.name, "error": error.message,
                        "again_in_seconds": Self.retryInterval.inSeconds,
                    ])
            }
        }
    }

    /// Asks until it is heard: nobody else knows of the change.
    private func ask(_ scope: RefreshScope) async {
        var request = RefreshRequest(
            key: key, origin: .schedule, priority: resource.priority)
        request.scope = scope
        request.maximumQueue = maximumQueue
        // A job that runs already may have read the file before it changed.
        request.force = true
        var backoff = Backoff(base: .milliseconds(250), ceiling: .seconds(5))
        while !Task.isCancelled {
            do throws(RefreshError) {
                let outcome = try await store.request(request)
                health.succeeded()
                switch outcome {
                case .queueFull: break
                case .accepted(let receipt):
                    Log.info(
                        "watch.changed",
                        [
                            "key": key, "job": receipt.job.id, "status": receipt.status.rawValue,
                            "parts": scope.parts.isEmpty ? nil : scope.parts.count,
                        ])
                    return
                case .notNeeded, .coolingDown: return
                }
            } catch {
                health.failed(error, during: "watch")
            }
            await pace.sleep(backoff.next(random: pace.random()))
        }
    }
}

internal import API
internal import Coordination
internal import FreshetModel
internal import Runtime

/// What embedded roles run on: one thread with an event loop, and one store.
enum Host {
    /// Shown to operators beside the program's workers.
    static let version = "0.1.0"

    /// Runs the services that `make` builds until they end.
    static func run(
        _ settings: Settings, name: String, grace: Duration, stopsOnSignals: Bool,
        _ make: @escaping @Sendable (RedisRefreshStore, EventLoop) async throws -> [any Service]
    ) async throws {
        let thread = EventLoopThread.start(name)
        let loop = thread.loop
        defer { thread.stop() }
        let store = try RedisRefreshStore(settings: settings.redis, loop: loop, name: name)
        defer { store.close() }
        let signals = stopsOnSignals ? SignalSource(loop: loop) : nil
        defer { signals?.close() }
        // A connection that breaks is an error to handle, never the end of a program.
        SignalSource.ignorePipe()
        try await withTaskExecutorPreference(loop) {
            let services = try await make(store, loop)
            try await ServiceGroup(services, gracePeriod: grace, signals: signals).run()
        }
    }

    static func api(
        _ settings: Settings, _ store: RedisRefreshStore, _ loop: EventLoop
    ) async throws -> any Service {
        guard settings.api.isLoopback || !settings.api.keys.isEmpty else {
            throw ExposureError(listen: settings.api.listen)
        }
        let api = try APIService(
            settings: settings, store: store, loop: loop, version: version,
            durability: { store.durability })
        try await api.start()
        return api
    }
}

/// Without keys everybody may do everything: then nobody beyond this machine may reach the API.
struct ExposureError: Error, CustomStringConvertible {
    let listen: String

    var description: String {
        "\(listen) can be reached from beyond this machine, and there are no API keys"
    }
}

extension APISettings {
    /// Whether only this machine reaches the address.
    fileprivate var isLoopback: Bool {
        let host = listen.split(separator: ":").dropLast().joined(separator: ":")
        return host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
    }
}

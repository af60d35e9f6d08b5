internal import Coordination
internal import FoundationEssentials
internal import FreshetModel
internal import Redis
internal import Runtime

/// `freshet ready`: the health check of a container, from the same program that runs in it.
enum ReadyCommand {
    static func run(_ context: CallContext) throws(CallError) -> ExitCode {
        let settings = try context.requiredSettings().settings
        Log.configure(level: .error, format: .text)
        let role = context.invocation.operand ?? "api"
        return LoopMain.run("ready") { loop in
            let problem =
                role == "api"
                ? await askAPI(settings, loop) : await askRedis(role, settings, loop)
            guard let problem else { return .done }
            StandardStream.error.write("freshet: \(role) is not ready: \(problem)\n")
            return .failed
        }
    }

    private static func askAPI(_ settings: Settings, _ loop: EventLoop) async -> String? {
        guard let address = ListenAddress(settings.api.listen) else { return "no address" }
        let endpoint = Endpoint.tcp(host: address.reachableHost, port: address.port)
        return await withCheckedContinuation { continuation in
            ReadyProbe.ask(endpoint, isTLS: settings.api.tls != nil, on: loop) {
                continuation.resume(returning: $0)
            }
        }
    }

    private static func askRedis(
        _ role: String, _ settings: Settings, _ loop: EventLoop
    ) async -> String? {
        do {
            let store = try RedisRefreshStore(
                settings: settings.redis, loop: loop, name: "freshet-ready")
            defer { store.close() }
            guard role == "worker" else {
                _ = try await store.now()
                return nil
            }
            // Workers are named HOST-PID-RANDOM.
            let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." } + "-"
            let workers = try await store.queue().workers
            return workers.contains { $0.id.hasPrefix(host) }
                ? nil : "no worker of this host is announced"
        } catch {
            return "\(error)"
        }
    }
}

internal import Coordination
internal import FreshetModel
internal import Operator
internal import Redis
internal import Runtime

/// The commands of operators: each opens the store, runs one method of `Operator`, and turns what
/// went wrong into a line and an exit code.
enum OperatorCommands {
    /// How durable a queued job is; `nil` when Redis does not say.
    private static func durability(of store: RedisRefreshStore) async -> Durability? {
        do {
            return try await store.checkServers().durability
        } catch {
            // The command itself will say what is wrong with Redis.
            return nil
        }
    }

    static func run(_ context: CallContext) throws(CallError) -> ExitCode {
        let operation = try context.operation()
        let console = console(context)
        let invocation = context.invocation
        Log.configure(level: .error, format: .text)
        return LoopMain.run("operator") { loop in
            do {
                let store = try RedisRefreshStore(
                    settings: operation.redis, loop: loop, name: "freshet-operator")
                defer { store.close() }
                let target = Operator(
                    store: store, settings: operation.settings, console: console,
                    durability: invocation.has("json") ? await durability(of: store) : nil)
                try await perform(invocation, target, loop)
                return .done
            } catch let error as OperatorError {
                return report(error, operation.redis)
            } catch {
                StandardStream.error.write("freshet: redis.url: \(error)\n")
                return .configuration
            }
        }
    }

    private static func perform(
        _ call: Invocation, _ target: Operator, _ loop: EventLoop
    ) async throws(OperatorError) {
        let operand = call.operand ?? ""
        let json = call.has("json")
        let limit = call.number("limit") ?? 100
        switch call.command {
        case CommandTable.refresh:
            var refresh = Operator.RefreshCall(key: operand)
            refresh.wait = call.has("wait")
            refresh.force = call.has("force")
            refresh.scope = call.all("scope")
            refresh.json = json
            try await target.refresh(refresh)
        case CommandTable.get: try await target.get(operand, envelope: call.has("envelope"))
        case CommandTable.status: try await target.status(call.operand, json: json)
        case CommandTable.jobs:
            let states = call.value("state")?.split(separator: ",").map(String.init) ?? []
            try await target.jobs(
                states: Set(states.compactMap(JobState.init)), limit: limit, json: json)
        case CommandTable.job: try await target.job(operand, json: json)
        case CommandTable.cancel: try await target.cancel(operand, json: json)
        case CommandTable.dead:
            if call.has("retry-all") {
                try await target.retryAllDead(json: json)
            } else if call.has("retry") {
                try await target.retryDead(call.all("retry"), json: json)
            } else {
                try await target.dead(limit: limit, json: json)
            }
        case CommandTable.queue:
            let change: Operator.QueueChange =
                call.has("pause") ? .pause : call.has("resume") ? .resume : .none
            try await target.queue(change, json: json)
        case CommandTable.purge: try await target.purge(operand)
        case CommandTable.top: try await top(target, loop)
        default: preconditionFailure("no operator's command: \(call.command.name)")
        }
    }

    private static func top(_ target: Operator, _ loop: EventLoop) async throws(OperatorError) {
        let (pressed, press) = AsyncStream.makeStream(of: [UInt8].self)
        let keys = TerminalKeys(on: loop) { press.yield($0) }
        guard let keys else { return try await target.top(keys: nil) }
        // A signal ends it like `q`, so that the terminal is put back as it was.
        let signals = SignalSource(loop: loop)
        signals.onSignal([.interrupt, .terminate, .hangUp]) { _ in press.finish() }
        defer {
            signals.close()
            keys.end()
        }
        try await target.top(keys: pressed)
    }

    private static func report(_ error: OperatorError, _ redis: RedisSettings) -> ExitCode {
        switch error {
        case .store(let failure) where failure.code == .redisUnavailable:
            let url = redis.url.flatMap { try? RedisURL(parsing: $0) }
            let place = url.map { " at \($0)" } ?? ""
            StandardStream.error.write(
                "freshet: Redis\(place) cannot be reached: \(failure.message)\n")
            return .unavailable
        case .malformed(let message):
            StandardStream.error.write("freshet: \(message)\n")
            return .usage
        case .store, .failed:
            StandardStream.error.write("freshet: \(error)\n")
            return .failed
        }
    }

    private static func console(_ context: CallContext) -> Console {
        Console(
            write: { StandardStream.output.write($0) },
            writeError: { StandardStream.error.write($0) },
            size: {
                guard StandardStream.output.isTerminal else { return nil }
                // A terminal that does not say its size is taken for the classic one.
                let size = StandardStream.output.terminalSize ?? (80, 24)
                return Console.Size(columns: size.columns, rows: size.rows)
            },
            isColored: context.isColored(.output))
    }
}

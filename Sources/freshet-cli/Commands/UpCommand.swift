internal import FoundationEssentials
internal import FreshetModel
internal import Runtime
internal import Worker

/// `freshet up`: checks everything that can be checked before, then hands over to the supervisor.
enum UpCommand {
    static func run(_ context: CallContext) throws(CallError) -> ExitCode {
        try context.configureLog()
        var (path, settings) = try context.requiredSettings()
        let address = try listenAddress(&settings, context)

        let invocation = context.invocation
        let directory = StackDirectory(invocation.value("data") ?? StackDirectory.defaultPath)
        do throws(StackError) {
            let lock = try directory.take()
            let redis: EmbeddedRedis? =
                settings.redis.url == nil
                ? try EmbeddedRedis(
                    directory: directory.redis, path: context.environment["PATH"]) : nil
            let port = try reserve(address)
            let stack = Stack(
                configuration: path, address: ListenAddress(host: address.host, port: port.port),
                redisURL: settings.redis.url, redis: redis, lock: lock,
                environment: context.environment, isTLS: settings.api.tls != nil)
            let plan = Supervisor.Plan(
                ownsRedis: redis != nil, apis: invocation.number("api") ?? 1,
                workers: invocation.number("workers") ?? 1,
                drainTimeout: WorkerService.gracePeriod(settings))
            let log = try self.log(context, plan)
            try directory.write(stack.note)
            let shell = SupervisorShell(
                plan: plan,
                wiring: .init(
                    command: { stack.command(for: $0) }, redis: stack.redisEndpoint,
                    api: .tcp(host: stack.address.reachableHost, port: stack.address.port),
                    isTLS: stack.isTLS,
                    announce: { StandardStream.output.write("ready \(stack.url)\n") }, log: log),
                loop: EventLoop(name: "up"))
            let code = shell.run()
            directory.removeNote()
            return withExtendedLifetime(port) { code }
        } catch {
            throw CallError(error.code, error.message)
        }
    }

    private static func listenAddress(
        _ settings: inout Settings, _ context: CallContext
    ) throws(CallError) -> ListenAddress {
        guard var address = ListenAddress(settings.api.listen) else {
            throw CallError(
                .configuration, "api.listen: `\(settings.api.listen)` is not HOST:PORT")
        }
        if let port = context.invocation.number("port") { address.port = port }
        settings.api.listen = address.description
        return address
    }

    private static func reserve(_ address: ListenAddress) throws(StackError) -> PortReservation {
        do throws(SystemError) {
            return try PortReservation(host: address.host, port: address.port)
        } catch {
            if error.isAddressInUse {
                throw StackError(
                    .failed,
                    "port \(address.port) of \(address.host) is in use; choose another with --port")
            }
            throw StackError(.failed, error.description)
        }
    }

    private static func log(
        _ context: CallContext, _ plan: Supervisor.Plan
    ) throws(StackError) -> SupervisorLog {
        let isJSON: Bool
        do throws(CallError) {
            isJSON = try context.isLogJSON()
        } catch {
            throw StackError(error.code, error.lines.joined(separator: "\n"))
        }
        let widest = max("scheduler".count, Member.worker(plan.workers).description.count)
        return SupervisorLog(
            isJSON: isJSON, isColored: context.isColored(.error), width: widest,
            write: { StandardStream.error.write($0 + "\n") })
    }
}

/// What the members of a stack are started with.
struct Stack {
    var configuration: String
    var address: ListenAddress
    /// As flag, environment or file say; `nil`: its own.
    var redisURL: String?
    var redis: EmbeddedRedis?
    var lock: LockFile
    var environment: [String: String]
    var isTLS: Bool

    var url: String {
        "\(isTLS ? "https" : "http")://\(ListenAddress(host: address.reachableHost, port: address.port))"
    }

    var redisEndpoint: Endpoint? { redis.map { .unix(path: $0.socket) } }

    var note: StackDirectory.Note {
        let base = FileManager.default.currentDirectoryPath
        return .init(
            config: configuration.hasPrefix("/") ? configuration : base + "/" + configuration,
            redisURL: redis?.url, url: url)
    }

    func command(for member: Member) -> SupervisedProcess.Command {
        if member.role == .redis, let redis {
            return redis.command(lock: lock, environment: environment)
        }
        var arguments = [member.role.rawValue, "--config", configuration]
        if member.role == .api {
            arguments += ["--listen", address.description]
        }
        var environment = environment
        // Not an argument: its password would stand in the list of processes.
        environment["FRESHET_REDIS_URL"] = redis?.url ?? redisURL
        return .init(executable: Self.executable, arguments: arguments, environment: environment)
    }

    /// The program that runs now; its name in `argv` may be a relative one.
    private static let executable: String = {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return link ?? CommandLine.arguments[0]
    }()
}

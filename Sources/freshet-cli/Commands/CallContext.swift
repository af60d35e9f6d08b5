internal import Configuration
internal import FoundationEssentials
internal import FreshetModel
internal import Runtime

/// What a command is told beside its arguments: environment, configuration, a stack that runs here.
/// A flag beats the environment, which beats the file, which beats what a running stack left.
struct CallContext {
    let invocation: Invocation
    let environment: [String: String]

    /// The file that is taken when nothing names one.
    static let defaultConfiguration = "freshet.yaml"
    /// Where Redis is when nobody says.
    static let defaultRedisURL = "redis://127.0.0.1:6379"

    init(_ invocation: Invocation, environment: [String: String]) {
        self.invocation = invocation
        // An empty variable is as good as none.
        self.environment = environment.filter { !$0.value.isEmpty }
    }

    // MARK: configuration

    /// The configuration file: the flag's, the environment's, or the working directory's.
    func configurationPath() -> String? {
        if let path = invocation.value("config") ?? environment["FRESHET_CONFIG"] { return path }
        let isThere = FileManager.default.fileExists(atPath: Self.defaultConfiguration)
        return isThere ? Self.defaultConfiguration : nil
    }

    /// The configuration of a process, which cannot do without.
    func requiredSettings() throws(CallError) -> (path: String, settings: Settings) {
        guard let path = configurationPath() else {
            throw CallError(
                .usage,
                "no configuration: name one with --config FILE or FRESHET_CONFIG, or run where "
                    + "\(Self.defaultConfiguration) is")
        }
        let file = try SettingsFile.load(path, environment: environment, overrides: overrides())
        for warning in file.warningLines { StandardStream.error.write(warning + "\n") }
        var settings = file.settings
        if let concurrency = invocation.number("concurrency") {
            settings.worker.concurrency = concurrency
        }
        return (path, settings)
    }

    /// What flags and environment put in the place of what the file says.
    func overrides() -> Overrides {
        var overrides = Overrides(environment: environment)
        if let url = invocation.value("redis") {
            overrides.redisURL = Overrides.Setting(url, origin: "--redis")
        }
        if let listen = invocation.value("listen") {
            overrides.listen = Overrides.Setting(listen, origin: "--listen")
        }
        return overrides
    }

    /// What an operator's command works with.
    struct Operation {
        var redis: RedisSettings
        /// `nil` when there is no configuration at hand.
        var settings: Settings?
    }

    /// The configuration, when there is one, and where Redis is.
    func operation() throws(CallError) -> Operation {
        let note = StackDirectory(invocation.value("data") ?? StackDirectory.defaultPath).note()
        var settings: Settings?
        if let path = configurationPath() ?? note?.config {
            // Where the API listens is none of their business: it may be another machine's file.
            var overrides = overrides()
            overrides.listen = nil
            settings = try SettingsFile.load(
                path, environment: environment, overrides: overrides
            ).settings
        }
        var redis = settings?.redis ?? RedisSettings()
        redis.url =
            invocation.value("redis") ?? environment["FRESHET_REDIS_URL"] ?? redis.url
            ?? note?.redisURL ?? Self.defaultRedisURL
        return Operation(redis: redis, settings: settings)
    }

    // MARK: log

    /// Applies FRESHET_LOG_LEVEL and FRESHET_LOG_FORMAT.
    func configureLog() throws(CallError) {
        var level = Log.Level.info
        if let name = environment["FRESHET_LOG_LEVEL"] {
            guard let known = Log.Level(name: name) else {
                let names = Log.Level.allCases.map(\.name).joined(separator: ", ")
                throw CallError(.usage, "FRESHET_LOG_LEVEL is one of \(names), not `\(name)`")
            }
            level = known
        }
        Log.configure(level: level, format: try isLogJSON() ? .json : .text)
    }

    func isLogJSON() throws(CallError) -> Bool {
        switch environment["FRESHET_LOG_FORMAT"] {
        case nil, "text": return false
        case "json": return true
        case .some(let other):
            throw CallError(.usage, "FRESHET_LOG_FORMAT is text or json, not `\(other)`")
        }
    }

    /// Whether colours may be used on `stream`. https://no-color.org
    func isColored(_ stream: StandardStream) -> Bool {
        stream.isTerminal && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
    }
}

package import FreshetModel

/// What beats the file: flags beat the environment, which beats the file.
package struct Overrides: Sendable, Hashable {
    /// A value and who says it, for messages: `FRESHET_LISTEN`, `--listen`.
    package struct Setting: Sendable, Hashable {
        package var value: String
        package var origin: String

        package init(_ value: String, origin: String) {
            self.value = value
            self.origin = origin
        }
    }

    /// Beats `redis.url`.
    package var redisURL: Setting?
    /// Beats `api.listen`, `HOST:PORT`.
    package var listen: Setting?

    /// Nothing: the file as it is.
    package init() {}

    /// What `FRESHET_REDIS_URL` and `FRESHET_LISTEN` say; an empty one says nothing. Flags are then
    /// stored over it.
    package init(environment: [String: String]) {
        redisURL = Self.setting("FRESHET_REDIS_URL", environment)
        listen = Self.setting("FRESHET_LISTEN", environment)
    }

    private static func setting(_ name: String, _ environment: [String: String]) -> Setting? {
        environment[name].flatMap { $0.isEmpty ? nil : Setting($0, origin: name) }
    }
}

extension Settings {
    /// Lets `FRESHET_REDIS_URL` and `FRESHET_LISTEN` beat what is set.
    ///
    /// - Throws: What is wrong with them, as errors of a file named `environment`; nothing changes
    ///   then. Listening beyond loopback without keys is an error here too.
    package mutating func applyEnvironment(
        _ environment: [String: String]
    ) throws(ConfigurationErrors) {
        try apply(Overrides(environment: environment), named: "environment")
    }

    /// Lets `overrides` beat what is set; as `applyEnvironment`.
    package mutating func apply(
        _ overrides: Overrides, named file: String = "arguments"
    ) throws(ConfigurationErrors) {
        var changed = self
        var problems = changed.store(overrides)
        if problems.isEmpty, let problem = ListenCheck.problem(of: changed.api) {
            problems.append("`\(overrides.listen?.origin ?? "listen")`: \(problem)")
        }
        guard problems.isEmpty else {
            throw ConfigurationErrors(
                file: file, problems.map { ConfigurationError(.beginning, $0) })
        }
        self = changed
    }

    /// Stores what is right and returns what is wrong.
    mutating func store(_ overrides: Overrides) -> [String] {
        var problems: [String] = []
        if let url = overrides.redisURL {
            if let problem = RedisURLForm.problem(of: url.value) {
                problems.append("`\(url.origin)`: \(problem)")
            } else {
                redis.url = url.value
            }
        }
        if let listen = overrides.listen {
            if ListenAddress(listen.value) == nil {
                problems.append(
                    "`\(listen.origin)`: expected HOST:PORT such as `127.0.0.1:8080`, found "
                        + Fields.quoted(listen.value))
            } else {
                api.listen = listen.value
            }
        }
        return problems
    }
}

internal import API
internal import Configuration
internal import FreshetModel
internal import Runtime

/// Reads the configuration of a running API process again: keys, rate limit, `open_metrics`, and the
/// files of `tls`. What is wrong leaves all of it as it was.
struct ConfigurationReload: Sendable {
    let path: String
    let environment: [String: String]
    let overrides: Overrides
    /// What the process was started with.
    let running: Settings

    func perform(on api: APIService) async {
        do {
            var settings = try Configuration.load(
                path: path, environment: environment, overrides: overrides)
            let needsRestart = settings != reloaded(by: settings)
            // It goes on to listen where it does, which the keys must suit.
            try settings.apply(listening, named: path)
            try await api.reload(settings)
            Log.info("config.reloaded", ["file": path, "keys": settings.api.keys.count])
            if needsRestart {
                Log.warning(
                    "config.needs_restart",
                    [
                        "file": path,
                        "message":
                            "more has changed than keys, rate_limit, open_metrics and tls files",
                    ])
            }
        } catch let errors as ConfigurationErrors {
            for line in errors.lines { reject(line) }
        } catch {
            reject("\(path): \(error)")
        }
    }

    private var listening: Overrides {
        var overrides = Overrides()
        overrides.listen = Overrides.Setting(running.api.listen, origin: "where it listens")
        return overrides
    }

    /// What the process would be like with `settings` reloaded.
    private func reloaded(by settings: Settings) -> Settings {
        var result = running
        result.api.keys = settings.api.keys
        result.api.rateLimit = settings.api.rateLimit
        result.api.openMetrics = settings.api.openMetrics
        if running.api.tls != nil, settings.api.tls != nil { result.api.tls = settings.api.tls }
        return result
    }

    private func reject(_ error: String) {
        Log.error("config.rejected", ["error": error, "message": "the settings before stay"])
    }
}

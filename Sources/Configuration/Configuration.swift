package import FreshetModel

/// Reads configuration files: YAML to checked values, all errors at once.
///
/// docs/configuration.md is the list of fields.
package enum Configuration {
    /// The settings of the file at `path`.
    ///
    /// - Parameters:
    ///   - environment: What `${NAME}` in values stands for.
    ///   - overrides: What beats the file. Pass `Overrides(environment:)` with the flags stored over
    ///     it, so that what must hold is checked of what will count.
    /// - Throws: Everything that is wrong, sorted by place; also that the file cannot be read.
    package static func load(
        path: String, environment: [String: String], overrides: Overrides = Overrides()
    ) throws(ConfigurationErrors) -> Settings {
        try check(path: path, environment: environment, overrides: overrides).settings
    }

    /// The settings that `text` says; `file` is its name in errors.
    package static func parse(
        text: String, file: String, environment: [String: String],
        overrides: Overrides = Overrides()
    ) throws(ConfigurationErrors) -> Settings {
        try check(Array(text.utf8), file: file, environment: environment, overrides: overrides)
            .settings
    }

    /// As `load`, with warnings and a summary: `freshet config check`.
    package static func check(
        path: String, environment: [String: String], overrides: Overrides = Overrides()
    ) throws(ConfigurationErrors) -> ConfigurationFile {
        let bytes: [UInt8]
        do {
            bytes = try FileText.read(path)
        } catch {
            throw ConfigurationErrors(
                file: path, [ConfigurationError(.beginning, error.message)])
        }
        return try check(bytes, file: path, environment: environment, overrides: overrides)
    }

    /// As `parse`, with warnings and a summary. `bytes` need not be text.
    package static func check(
        _ bytes: [UInt8], file: String, environment: [String: String],
        overrides: Overrides = Overrides()
    ) throws(ConfigurationErrors) -> ConfigurationFile {
        let report = Report()
        let root = TreeBuilder.build(bytes, environment: environment, report)
        // Of a file that is no YAML nothing else is known.
        guard root != nil || report.errors.isEmpty else {
            throw ConfigurationErrors(file: file, report.errors)
        }
        let settings = FileReader(report: report, overrides: overrides).read(root)
        guard report.errors.isEmpty else { throw ConfigurationErrors(file: file, report.errors) }
        return ConfigurationFile(
            file: file, settings: settings, warnings: ConfigurationErrors.sorted(report.warnings))
    }
}

/// A file without errors.
package struct ConfigurationFile: Sendable, Hashable {
    /// Its name as the caller gave it.
    package var file: String
    package var settings: Settings
    /// What is allowed and still looks like a mistake, sorted by place.
    package var warnings: [ConfigurationError]

    /// Each warning as `file:line:column: warning: message`.
    package var warningLines: [String] {
        warnings.map { "\(file):\($0.place.line):\($0.place.column): warning: \($0.message)" }
    }

    /// One line: `fresh.yaml: 5 resources, 2 schedules, redis://:***@127.0.0.1:6379/0`.
    package var summary: String {
        let schedules = settings.resources.values.count { $0.schedule != nil }
        let redis =
            settings.redis.url.map(RedisURLForm.redacted)
            ?? "Redis from flag or environment, or its own"
        return "\(file): \(Self.counted(settings.resources.count, "resource")), "
            + "\(Self.counted(schedules, "schedule")), \(redis)"
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}

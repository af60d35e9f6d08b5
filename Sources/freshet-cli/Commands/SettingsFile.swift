internal import Configuration
internal import FreshetModel

/// Reads a configuration file.
enum SettingsFile {
    /// The file with what beats it.
    ///
    /// - Throws: Exit code 78 with every error as `file:line:column: message`.
    static func load(
        _ path: String, environment: [String: String], overrides: Overrides
    ) throws(CallError) -> ConfigurationFile {
        do throws(ConfigurationErrors) {
            return try Configuration.check(
                path: path, environment: environment, overrides: overrides)
        } catch {
            throw CallError(.configuration, lines: error.lines)
        }
    }
}

internal import Configuration
internal import FreshetModel

/// Reads a configuration file.
enum SettingsFile {
    /// The checked file, with what the environment and the flags say over it.
    ///
    /// - Throws: Exit code 78 with every error as `file:line:column: message`.
    static func check(
        _ path: String, environment: [String: String], overrides: Overrides
    ) throws(CallError) -> ConfigurationFile {
        do {
            return try Configuration.check(
                path: path, environment: environment, overrides: overrides)
        } catch {
            throw CallError(
                .configuration, lines: error.description.split(separator: "\n").map(String.init))
        }
    }
}

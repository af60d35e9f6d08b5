internal import Configuration
internal import FreshetModel

/// Reads a configuration file.
enum SettingsFile {
    /// - Throws: Exit code 78 with every error as `file:line:column: message`.
    static func load(
        _ path: String, environment: [String: String]
    ) throws(CallError) -> Settings {
        throw CallError(.configuration, "\(path): configurations are not read yet")
    }
}

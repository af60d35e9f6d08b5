package import FreshetModel

/// Turns what the configuration says into sources that run.
package enum SourceFactory {
    /// The source of `definition` for keys of `resource`.
    ///
    /// - Throws: `SourceError` for a definition that cannot run: a malformed URL, glob or pointer,
    ///   an undeclared parameter, a parameter where none may stand.
    package static func make(
        _ definition: SourceDefinition, for resource: Resource
    ) throws(SourceError) -> any RefreshSource {
        let declared = resource.parameters
        switch definition {
        case .command(let command): return try CommandRefreshSource(command, declared: declared)
        case .directory(let directory):
            return try DirectoryRefreshSource(directory, declared: declared)
        case .http(let http): return try HTTPRefreshSource(http, declared: declared)
        case .csv(let csv): return try CSVRefreshSource(csv, declared: declared)
        case .postgres(let postgres):
            return try PostgresRefreshSource(
                postgres, declared: declared, timeout: resource.timeout)
        }
    }
}

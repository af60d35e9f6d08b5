package import FreshetModel

/// Tells when the files of a `directory` source change, by inotify.
///
/// Changes are gathered until nothing happened for a while, so that copying a thousand files is one
/// change; files that the source does not take do not count.
package struct DirectoryWatcher: Sendable {
    /// What a watcher tells.
    package enum Event: Sendable, Equatable {
        /// Files changed: below these top-level directories, or anywhere.
        case changed(RefreshScope)
        /// Watching is not possible; nothing more will be told.
        case failed(SourceError)
    }

    private let root: String
    private let selection: FileSelection
    private let quiet: Duration
    private let longest: Duration

    /// A watcher for `definition`.
    ///
    /// - Parameters:
    ///   - quiet: How long nothing has to happen until a change is told.
    ///   - longest: After this long it is told even while more happens.
    /// - Throws: `SourceError` for a malformed glob or a root with parameters, which would be many.
    package init(
        _ definition: DirectorySource, for resource: Resource,
        quiet: Duration = .milliseconds(500), longest: Duration = .seconds(10)
    ) throws(SourceError) {
        guard try !Template(definition.root, declared: resource.parameters).hasParameters else {
            throw .permanent("watch needs a root without parameters")
        }
        root = definition.root
        selection = FileSelection(
            include: try DirectoryRefreshSource.globs(definition.include),
            exclude: try DirectoryRefreshSource.globs(definition.exclude))
        self.quiet = quiet
        self.longest = longest
    }

    /// What happens from now on; it ends when the task that reads it is cancelled, or after a
    /// failure. A root that is not there is waited for.
    package func events() -> AsyncStream<Event> {
        // What a late reader has no room for is gathered with what comes.
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingOldest(4))
        guard let wakeup = Wakeup() else {
            continuation.yield(.failed(SourceError("no descriptor left to watch a directory")))
            continuation.finish()
            return stream
        }
        continuation.onTermination = { _ in wakeup.wake() }
        let watcher = self
        let work = Work(name: "watch") {
            let run = DirectoryWatch(
                root: watcher.root, selection: watcher.selection,
                quiet: UInt64(max(0, watcher.quiet.milliseconds)),
                longest: UInt64(max(0, watcher.longest.milliseconds)), wakeup: wakeup)
            do throws(SourceError) {
                try run.run { scope in
                    if case .dropped = continuation.yield(.changed(scope)) { return false }
                    return true
                }
            } catch {
                continuation.yield(.failed(error))
            }
            continuation.finish()
        }
        if !work.start() {
            continuation.yield(.failed(SourceError("no thread left to watch a directory")))
            continuation.finish()
        }
        return stream
    }
}

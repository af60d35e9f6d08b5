/// The one place of the worker that makes tasks which are nobody's children, for the two cases in
/// which a parent's end must not be tied to theirs.
enum Unattached {
    /// Starts `body` on the global executor; it may be left behind.
    static func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: globalConcurrentExecutor) { await body() }
    }

    /// Runs `body` to its end, without the caller's cancellation.
    static func run(_ body: @escaping @Sendable () async -> Void) async {
        await Task { await body() }.value
    }
}

internal import Coordination
internal import FreshetModel

/// Follows one job to its end.
///
/// Events only wake it; what it shows is always read anew, so a lost event costs at most `pace`.
struct JobWatch {
    /// How often it looks without being woken.
    private static let pace = Duration.seconds(1)
    /// A store that is gone for so long ends the watch.
    private static let patience = Duration.seconds(30)

    var store: any RefreshStore
    var id: JobID
    var maximumAttempts: Int?

    /// Calls `show` with every state of the job, and returns the last.
    func run(
        _ feed: AsyncStream<FeedItem>, show: (Job) -> Void
    ) async throws(OperatorError) -> Job {
        let (wakes, wake) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = id.key
        let result: Result<Job, OperatorError> = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await item in feed where item.concerns(key) { wake.yield() }
            }
            group.addTask { await Self.tick(wake) }
            let result = await follow(wakes, show)
            group.cancelAll()
            return result
        }
        return try result.get()
    }

    private static func tick(_ wake: AsyncStream<Void>.Continuation) async {
        wake.yield()
        while !Task.isCancelled {
            do { try await Task.sleep(for: pace) } catch { return }
            wake.yield()
        }
    }

    private func follow(
        _ wakes: AsyncStream<Void>, _ show: (Job) -> Void
    ) async -> Result<Job, OperatorError> {
        var failingSince: ContinuousClock.Instant?
        for await _ in wakes {
            do throws(RefreshError) {
                guard let job = try await store.job(id) else {
                    return .failure(.failed("\(id) is not known any more"))
                }
                failingSince = nil
                show(job)
                if job.state.isEnded { return .success(job) }
            } catch {
                let since = failingSince ?? .now
                failingSince = since
                if .now - since > Self.patience { return .failure(.store(error)) }
            }
        }
        return .failure(.failed("interrupted"))
    }
}

extension FeedItem {
    /// Whether the item may be about `key`.
    func concerns(_ key: Key) -> Bool {
        switch self {
        case .suspect: true
        case .events(let events): events.contains { $0.key == key }
        }
    }
}

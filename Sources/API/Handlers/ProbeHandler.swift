internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// `/health` and `/ready`.
struct ProbeHandler {
    /// How long a probe may take; the store's own deadlines are shorter.
    private static let oldJobs = Duration.seconds(1)

    let store: any RefreshStore
    let probeKey: Key?

    /// The key that the probing write names.
    static func key(_ settings: Settings) -> Key? {
        (settings.defaultResource ?? settings.resources.keys.min()).flatMap { Key(resource: $0) }
    }

    /// `GET /health`: this process serves.
    func health() -> HTTPReply { JSONAnswer.object { $0.member("status", "ok") } }

    /// `GET /ready`: the store is reachable and takes writes.
    ///
    /// The write is the cancelling of a job that cannot be: it runs a script that may write, which a
    /// store that is full, read-only or unable to save refuses, and changes nothing.
    func ready() async throws(Problem) -> HTTPReply {
        let workers: Int
        do {
            workers = try await store.queue().workers.count
        } catch {
            throw Self.missing(error, workers: nil)
        }
        do {
            if let probeKey {
                _ = try await store.cancel(JobID(run: 1, key: probeKey), keepJobs: Self.oldJobs)
            }
        } catch {
            throw Self.missing(error, workers: workers)
        }
        return JSONAnswer.object {
            $0.member("status", "ready")
            $0.member("redis", "ok")
            $0.member("workers_alive", workers)
        }
    }

    private static func missing(_ error: RefreshError, workers: Int?) -> Problem {
        let what =
            switch error.code {
            case .redisRefusesWrites, .notDurable: "Redis takes no writes"
            case .redisUnavailable, .redisBusy: "Redis is not reachable"
            case .redisDenied: "Redis denies access"
            case .corrupt: "Redis answers what Freshet does not understand"
            }
        var problem = Problem(503, error.code.rawValue, "\(what): \(error.message)")
        problem.workersAlive = .some(workers)
        problem.retryAfter = 1
        return problem
    }
}

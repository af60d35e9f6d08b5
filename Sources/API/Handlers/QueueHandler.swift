internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// The queue at a glance, and its brake.
struct QueueHandler {
    let store: any RefreshStore

    /// `GET /v1/queue`.
    func queue() async throws(Problem) -> HTTPReply {
        do {
            let queue = try await store.queue()
            return JSONAnswer.value { $0.queue(queue) }
        } catch {
            throw Problem(error)
        }
    }

    /// `POST /v1/queue/pause` and `/resume`.
    func setPaused(_ isPaused: Bool) async throws(Problem) -> HTTPReply {
        do {
            try await store.setPaused(isPaused)
        } catch {
            throw Problem(error)
        }
        return try await queue()
    }

    /// `GET /stats`.
    func statistics(caller: Caller) async throws(Problem) -> HTTPReply {
        do {
            let statistics = try await store.statistics()
                .filter { caller.access.allows($0.key) }
            return JSONAnswer.value { $0.statistics(statistics) }
        } catch {
            throw Problem(error)
        }
    }
}

package import Codecs
package import Coordination
internal import FreshetModel

extension JSONText {
    /// The queue at a glance as an object.
    package mutating func queue(_ queue: QueueStatus) {
        object { json in
            json.member("waiting", queue.waiting)
            json.member("running", queue.running)
            json.member("delayed", queue.delayed)
            json.member("dead", queue.dead)
            json.member("by_priority") { classes in
                for priority in Priority.allCases {
                    classes.member(priority.name, queue.waitingByPriority[priority] ?? 0)
                }
            }
            json.member("oldest_waiting_seconds", queue.oldestWaiting)
            json.member(
                "completed_per_second", (queue.completedPerSecond * 1000).rounded() / 1000)
            json.member("paused", queue.isPaused)
            json.member("workers", queue.workers) { json, worker in
                json.object {
                    $0.member("id", worker.id)
                    $0.member("capacity", worker.capacity)
                    $0.member("running", worker.running)
                    $0.member("last_seen_at", worker.lastSeen)
                    $0.member("version", worker.version)
                }
            }
        }
    }
}

/// The names of everything Freshet keeps in Redis, one family per function.
///
/// A partition's keys share the prefix `{NAMESPACE:P}:`; the braces make it one hash slot of a
/// Cluster, so one script may touch all of them. Scripts get `meta` as KEYS[1] and build the other
/// names from its prefix; nothing outside the prefix is ever touched.
package struct KeySpace: Sendable, Hashable {
    /// `redis.namespace` of the configuration.
    package let namespace: String
    /// From 0.
    package let partition: Int

    package init(namespace: String, partition: Int) {
        self.namespace = namespace
        self.partition = partition
    }

    /// What every name of the partition begins with.
    package var prefix: String { "{\(namespace):\(partition)}:" }

    /// HASH: `epoch` of the event log, waiting sequence `seq`, `paused`, live `capacity`, average
    /// run time `avg` in ms, `cap` on running jobs, when the last maintenance `maintained`. No TTL. Written by most scripts. Constant size.
    package var meta: String { prefix + "meta" }

    /// HASH, the record: payload metadata (`v ct enc sb sz ic cc fc tag se sm at mod fu ku`), the
    /// version `vf` that somebody holds although it is above `v`, the
    /// job under way (`st run nonce att lost scope tp pg ra w ls ll sc pr rdy`, its rerun
    /// `ar ap as`), what ended last (`lr ld le err cf on dn do`), the last `fence`, the run of
    /// the last forgotten rerun, `fr`, and nonce and lease of a cancelled claim whose source has
    /// not ended, `sn sl`. No TTL; a variant's record without payload goes after 30
    /// days. One per key.
    package func record(_ key: String) -> String { prefix + "k:" + key }

    /// STRING, the payload's stored bytes, PX = `keep_for`. Written by publish. One per kept key.
    package func payload(_ key: String) -> String { prefix + "p:" + key }

    /// STRING, `FENCE:NONCE` of the live lease, PX = lease. The refresh lock for people and tools
    /// to see; scripts trust the record. Written by claim, heartbeat and what ends a lease.
    package func lock(_ key: String) -> String { prefix + "lock:" + key }

    /// STRING, a large payload before its publication, PX = 60 s. Written by the worker; publish
    /// renames it.
    package func staged(_ key: String, nonce: String) -> String { prefix + "stage:\(nonce):\(key)" }

    /// STRING, what can be asked about an ended job, PX = `keep_jobs`. At most `Limits.endedJobs`.
    package func job(_ member: String) -> String { prefix + "job:" + member }

    /// LIST of at most one wake-up; idle workers block on it. Written when a job is placed.
    package var wake: String { prefix + "wake" }

    /// STREAM of `Limits.events` entries, and the pub/sub channel of the same name. Written by
    /// every script that changes something, last.
    package var events: String { prefix + "events" }

    /// Pub/sub channel: nonces of leases that were taken away.
    package var cancellations: String { prefix + "cancel" }

    /// HASH: `RESOURCE:ok fail dur avg bytes last hits miss stale`. Bounded by the configuration.
    package var statistics: String { prefix + "stats" }

    /// HASH: `RESOURCE:STAGE:BOUND` to a count, `RESOURCE:STAGE:sum` to microseconds; what workers
    /// measured. Bounded by the configuration.
    package var times: String { prefix + "times" }

    /// HASH: worker id to `capacity running last_seen deadline version`. Bounded by live workers.
    package var workers: String { prefix + "workers" }

    /// HASH: resource to the last slot its schedule fired for. Bounded by the configuration.
    package var schedules: String { prefix + "schedules" }

    /// ZSET, member = `LEASE_MS-NAME`, score = deadline: the slots under `max_concurrent`, of the
    /// first partition and only where there are several. Written by workers, which make up the
    /// names. At most `max_concurrent`.
    package var slots: String { prefix + "slots" }

    /// ZSET, member = key, score = last read, of keys with a payload. At most `max_variants`.
    package func read(resource: String) -> String { prefix + "read:" + resource }

    /// Sorted sets whose members are keys (of `ended`: `RUN-KEY`), without TTL.
    package enum Place: String, Sendable, CaseIterable {
        /// Score = class · 2^44 + sequence: the rank is the position.
        case waiting
        /// Score = due time: delayed and retrying jobs.
        case delayed
        /// Score = lease deadline: active set, stall index and concurrency cap in one.
        case leased
        /// Score = when the lease of a cancelled job would have ended: its source may still run, so
        /// that the key is not to be claimed.
        case stopping
        /// Score = fresh-until, of keys without a job: the staleness monitor reads its head.
        case due
        /// Score = kept-until.
        case kept
        /// Score 0, of keys with a payload: listings page through it by name.
        case index
        /// Score = when it became dead. At most `Limits.deadLetters`.
        case dead
        /// Score = end time, of jobs that can still be asked for. At most `Limits.endedJobs`.
        case ended
    }

    /// The name of a sorted set.
    package func place(_ place: Place) -> String { prefix + place.rawValue }
}

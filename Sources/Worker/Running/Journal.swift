internal import Coordination
internal import FreshetModel
internal import Runtime

/// Tells the log and the metrics what becomes of jobs: one event per transition.
///
/// Nothing is formatted unless its level is logged; a fast source's job costs a few counters.
enum Journal {
    static func claimed(_ claim: Claim, _ served: ServedResource) {
        served.metrics.claimed.increment()
        let wait = claim.claimedAt - claim.readyAt
        served.metrics.queueWait.observe(max(0, wait.inSeconds))
        Log.debug(
            "job.claimed",
            [
                "job": claim.jobID, "key": claim.key, "fence": claim.fence,
                "attempt": claim.attempt, "waited_seconds": seconds(wait),
                "trace": claim.traceparent,
            ])
    }

    static func succeeded(
        _ claim: Claim, _ served: ServedResource, version: Int64, isRenewal: Bool,
        sourceTime: Duration, publishTime: Duration
    ) {
        served.metrics.succeeded.increment()
        if isRenewal { served.metrics.renewed.increment() }
        served.metrics.publish.observe(publishTime.inSeconds)
        Log.info(
            "job.succeeded",
            [
                "job": claim.jobID, "key": claim.key, "version": version,
                "renewed": isRenewal ? true : nil, "attempt": claim.attempt,
                "source_seconds": seconds(sourceTime), "publish_seconds": seconds(publishTime),
                "trace": claim.traceparent,
            ])
    }

    static func failed(
        _ claim: Claim, _ served: ServedResource, error: String, retryAt: Timestamp?
    ) {
        served.metrics.failed.increment()
        let fields: Log.Fields = [
            "job": claim.jobID, "key": claim.key, "attempt": claim.attempt, "error": error,
            "retry_at": retryAt?.rfc3339, "trace": claim.traceparent,
        ]
        if retryAt == nil {
            Log.error("job.dead", fields)
        } else {
            Log.warning("job.failed", fields)
        }
    }

    static func lost(_ claim: Claim, _ served: ServedResource, why: String) {
        served.metrics.lost.increment()
        Log.warning(
            "job.lost",
            [
                "job": claim.jobID, "key": claim.key, "fence": claim.fence,
                "attempt": claim.attempt, "why": why, "trace": claim.traceparent,
            ])
    }

    static func handedBack(_ claim: Claim, _ served: ServedResource?, delay: Duration, why: String)
    {
        served?.metrics.handedBack.increment()
        Log.info(
            "job.handed_back",
            [
                "job": claim.jobID, "key": claim.key, "why": why,
                "delay_seconds": delay == .zero ? nil : seconds(delay),
            ])
    }

    static func leftBehind(_ claim: Claim, _ served: ServedResource) {
        served.metrics.leftBehind.increment()
        Log.error(
            "source.ignores_cancellation",
            [
                "job": claim.jobID, "key": claim.key,
                "hint": "the source goes on without a lease; what it returns is dropped",
            ])
    }

    static func breakerOpened(_ source: String, pause: Duration, error: String) {
        Log.warning(
            "breaker.opened",
            ["source": source, "pause_seconds": seconds(pause), "error": error])
    }

    static func breakerClosed(_ source: String) {
        Log.info("breaker.closed", ["source": source])
    }

    /// Seconds for people: to the microsecond, without a fraction where there is none.
    static func seconds(_ duration: Duration) -> String {
        let microseconds = Int64((duration.inSeconds * 1e6).rounded())
        guard microseconds % 1_000_000 != 0 else { return String(microseconds / 1_000_000) }
        return String(Double(microseconds) / 1e6)
    }
}

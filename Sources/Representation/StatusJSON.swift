package import Codecs
package import FreshetModel

extension JSONText {
    /// A status as an object, contract section 4.3.
    package mutating func status(_ status: KeyStatus) {
        let payload = status.payload.flatMap { $0.isKept(at: status.now) ? $0 : nil }
        let job = status.job
        let isUnderWay = status.state.isUnderWay
        object { json in
            json.member("key", status.key.text)
            json.member("is_running", isUnderWay)
            json.member("state", status.state.rawValue)
            json.member("last_refresh", status.lastRefresh)
            json.member("last_duration_seconds", status.lastDuration)
            json.member("error", status.error)
            json.member("item_count", payload?.facts.itemCount)
            json.member("collections_count", payload?.facts.collectionsCount)
            json.member("file_count", payload?.facts.fileCount)
            json.member("cache_valid", payload?.isFresh(at: status.now) ?? false)
            json.member("cache_date", payload?.refreshedAt)
            json.member("age_seconds", payload.map { max(.zero, status.now - $0.refreshedAt) })
            json.member(
                "fresh_for_seconds",
                payload.flatMap { kept in kept.freshUntil.map { $0 - kept.refreshedAt } })
            json.member("version", status.version)
            json.member("size_bytes", payload?.facts.sizeBytes)
            json.member("job_id", job?.id.text)
            json.member("position", isUnderWay ? job?.position : nil)
            if isUnderWay, let partition = job?.partition { json.member("partition", partition) }
            json.member("eta_seconds", isUnderWay ? job?.estimatedRemaining : nil)
            json.member(
                progress: isUnderWay ? job?.progress : nil, remaining: job?.estimatedRemaining)
            json.member("consecutive_failures", status.consecutiveFailures)
            json.member("next_retry_at", status.state == .retrying ? job?.runAt : nil)
            json.member("source_online", status.sourceOnline)
        }
    }
}

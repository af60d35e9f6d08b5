internal import Codecs
internal import FreshetModel
internal import Representation

/// The JSON around a payload, contract section 4.1. The payload's bytes stand between `head` and
/// `tail` as they are.
struct Envelope {
    /// From `{` to `"items":`.
    let head: [UInt8]
    /// From the comma after the payload to `}`.
    let tail: [UInt8]

    /// What an envelope says beside the payload.
    struct Facts {
        var metadata: PayloadMetadata
        var isFromCache = true
        var isFresh: Bool
        var age: Duration
        var isRefreshing: Bool
        /// The refresh under way, as far as it is known.
        var job: Job?
        var maximumAttempts: Int
        /// The read itself asked for the refresh.
        var hasTriggered = false
    }

    init(_ facts: Facts) {
        var json = JSONText()
        json.object {
            $0.member("status", "success")
            $0.name("items")
            $0.raw([Self.mark])
            if let count = facts.metadata.facts.itemCount { $0.member("count", count) }
            $0.member("from_cache", facts.isFromCache)
            $0.member("cache_valid", facts.isFresh)
            $0.member("cache_date", facts.metadata.refreshedAt)
            $0.member("age_seconds", Self.tenths(facts.age))
            $0.member("version", facts.metadata.version)
            $0.member("refreshing_in_background", facts.isRefreshing)
            $0.member("refresh", nested: facts.job, maximumAttempts: facts.maximumAttempts)
            if facts.hasTriggered { $0.member("_info", "Background refresh triggered") }
        }
        // Strings escape control bytes, so the first one is the place of the payload.
        let place = json.bytes.firstIndex(of: Self.mark) ?? json.bytes.endIndex
        head = Array(json.bytes[..<place])
        tail = Array(json.bytes[(place + 1)...])
    }

    private static let mark: UInt8 = 0

    private static func tenths(_ duration: Duration) -> Double {
        Double(max(0, duration.milliseconds) / 100) / 10
    }
}

internal import FreshetModel

/// How an answer came by its payload.
enum ReadKind: UInt8, Hashable {
    /// From what was kept.
    case kept
    /// It waited: nothing was kept.
    case waitedCold
    /// It waited: what was kept was to be replaced.
    case waitedStale
}

/// What the header fields of a payload say, contract section 4.1.
struct PayloadFields {
    let metadata: PayloadMetadata
    let now: Timestamp

    /// A year: what stands for "never" in fields that want a number.
    private static let longest: Int64 = 31_536_000

    var isFresh: Bool { metadata.isFresh(at: now) }

    /// Time since it was published or renewed.
    var age: Duration { max(.zero, now - metadata.refreshedAt) }

    /// Whole seconds until it goes stale, negative after; `nil` for `never`.
    var secondsToLive: Int64? {
        metadata.freshUntil.map { until in
            let left = until.milliseconds - now.milliseconds
            return left > 0 ? left / 1000 : min(-1, (left - 999) / 1000)
        }
    }

    /// RFC 9211.
    func cacheStatus(_ kind: ReadKind, isRefreshing: Bool) -> String {
        switch kind {
        case .waitedCold: return "freshet; fwd=miss; stored"
        case .waitedStale: return "freshet; fwd=stale; stored"
        case .kept:
            var text = "freshet; hit"
            if let secondsToLive { text += "; ttl=\(secondsToLive)" }
            if !isFresh, isRefreshing { text += "; detail=refreshing" }
            return text
        }
    }

    /// RFC 9111 and RFC 5861: clients compare `max-age` with `Age`, so it is the whole lifetime.
    func cacheControl(isPrivate: Bool) -> String {
        let access = isPrivate ? "private, " : ""
        guard let freshUntil = metadata.freshUntil else {
            return access + "max-age=\(Self.longest)"
        }
        let lifetime = max(0, (freshUntil - metadata.refreshedAt).milliseconds / 1000)
        let kept = metadata.keptUntil.map { max(0, ($0 - freshUntil).milliseconds / 1000) }
        return access
            + "max-age=\(min(lifetime, Self.longest)), "
            + "stale-while-revalidate=\(min(kept ?? Self.longest, Self.longest))"
    }

    /// Strong for raw answers: version and content say what the bytes are, the coding how. Weak for
    /// envelopes: also what they say about freshness and refresh, but not their age.
    func tag(
        _ form: ResponseForm, _ encoding: PayloadEncoding, isRefreshing: Bool
    ) -> EntityTag {
        // The content's own tag keeps versions apart that began anew after a loss of data.
        let content = "\(metadata.version)-\(metadata.facts.contentTag.prefix(12))"
        switch form {
        case .raw:
            let suffix = encoding == .identity ? "" : "-\(encoding.rawValue)"
            return EntityTag(opaque: content + suffix, isWeak: false)
        case .envelope:
            let state = (isFresh ? "f" : "s") + (isRefreshing ? "r" : "")
            return EntityTag(opaque: "\(content)-\(state)", isWeak: true)
        }
    }
}

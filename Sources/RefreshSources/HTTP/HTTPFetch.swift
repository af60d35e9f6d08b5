internal import FreshetModel
internal import Runtime

/// A request with its redirects, each hop of which is checked anew.
enum HTTPFetch {
    /// Fields that are no secret and go along to another host.
    private static let harmless: Set<String> = [
        "accept", "accept-language", "user-agent", "if-none-match", "if-modified-since",
        "traceparent", "content-type",
    ]

    /// Makes `request` and hands the body of a 2xx answer to `sink`, piece by piece.
    /// - Returns: A 2xx answer, or a 304 to a conditional request.
    /// - Throws: For any other answer, and for what a redirect must not lead to.
    static func run(
        _ request: HTTPRequest, _ cancellation: Cancellation,
        progress: @escaping (Int, Int?) -> Void,
        sink: @escaping (Span<UInt8>) throws(SourceError) -> Void
    ) throws(SourceError) -> HTTPResponse {
        let nanoseconds = UInt64(max(1, request.timeout.milliseconds)) * 1_000_000
        let deadline = EventLoop.monotonicNanoseconds() + nanoseconds
        var policy = AddressPolicy(allowsPrivate: request.allowsPrivate)
        var next = request
        var redirects = 0
        while true {
            let hop = try HTTPHop(
                next, isConfiguredHost: next.url.origin.host == request.url.origin.host,
                policy: policy, progress: progress, sink: sink)
            policy = try hop.run(deadline: deadline, cancellation)
            let response = hop.response
            switch response.status {
            case 200..<300: return response
            case 304 where request.isConditional: return response
            case 301, 302, 303, 307, 308:
                guard let target = response.location, !target.isEmpty else {
                    throw SourceError(
                        "HTTP \(response.status) without a target from \(next.url.origin)")
                }
                guard redirects < request.maximumRedirects else {
                    throw .permanent("more than max_redirects, \(request.maximumRedirects)")
                }
                redirects += 1
                next = try follow(response.status, to: target, from: next, first: request)
            default: throw failure(response.status, next.url.origin)
            }
        }
    }

    private static func failure(_ status: Int, _ origin: WebURL.Origin) -> SourceError {
        let isPermanent = (400..<500).contains(status) && ![408, 425, 429].contains(status)
        return SourceError("HTTP \(status) from \(origin)", isPermanent: isPermanent)
    }

    /// The request that a redirect asks for.
    private static func follow(
        _ status: Int, to target: String, from last: HTTPRequest, first: HTTPRequest
    ) throws(SourceError) -> HTTPRequest {
        let url = try WebURL(target, relativeTo: last.url)
        guard !(last.url.origin.scheme == "https" && url.origin.scheme == "http") else {
            throw .permanent("\(last.url.origin) redirects from https to http")
        }
        guard url.user == nil, url.password == nil else {
            throw .permanent("\(last.url.origin) redirects to a URL with credentials")
        }
        var next = last
        next.url = url
        let keepsMethod = status == 307 || status == 308
        let turnsIntoGet = status == 303 ? last.method != "HEAD" : last.method == "POST"
        if !keepsMethod, turnsIntoGet {
            next.method = "GET"
            next.body = nil
            next.bodyType = nil
            next.fields.removeAll { $0.name.lowercased() == "content-type" }
        }
        if url.origin == first.url.origin {
            // Home again: what was configured for this host is for it.
            next.url = url.withCredentials(of: first.url)
            let type = next.body == nil ? "content-type" : ""
            next.fields = first.fields.filter { $0.name.lowercased() != type }
        } else {
            guard next.body == nil else {
                throw .permanent("\(last.url.origin) redirects a request body to another host")
            }
            next.fields.removeAll { !harmless.contains($0.name.lowercased()) }
        }
        return next
    }
}

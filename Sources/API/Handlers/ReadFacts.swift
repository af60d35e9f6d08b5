internal import FreshetModel
internal import HTTPServer

/// What a payload read asks for, from path and query: the same for all requests with one target.
final class ReadPlan {
    let entryKey: Key
    let resource: Resource
    let wantsRefresh: Bool
    let wantsStream: Bool
    /// `/fetch-data` does not wait, whatever the resource says.
    let cold: ColdPolicy
    /// The entry found last time, while it is still in the table.
    var entry: KeyEntry?

    init(
        key: Key, resource: Resource, wantsRefresh: Bool, wantsStream: Bool, cold: ColdPolicy
    ) {
        entryKey = key
        self.resource = resource
        self.wantsRefresh = wantsRefresh
        self.wantsStream = wantsStream
        self.cold = cold
    }

    /// The form of an answer with a payload of `contentType`: what is not JSON is always raw.
    func form(_ contentType: String) -> ResponseForm {
        resource.response == .raw || !MediaType.isJSON(contentType) ? .raw : .envelope
    }
}

/// What a payload read asks for in its header fields.
struct ReadFacts {
    var accepted: AcceptedEncodings
    var ifNoneMatch: String?
    var range: String?
    var ifRange: String?
    var preferences: Preferences
    var lastEventID: String?
    var traceparent: String?
    var isHead: Bool
    var requestID: String

    init(_ request: HTTPRequest) {
        accepted = AcceptedEncodings(request.header("Accept-Encoding"))
        ifNoneMatch = request.header("If-None-Match")
        range = request.header("Range")
        ifRange = request.header("If-Range")
        preferences = Preferences(request.header("Prefer"))
        lastEventID = request.header("Last-Event-ID")
        traceparent = request.header("traceparent")
        isHead = request.method == .head
        requestID = request.requestID
    }
}

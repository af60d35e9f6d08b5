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

    /// The form of an answer with `copy`: what is not JSON is always raw.
    func form(_ copy: PayloadCopy) -> ResponseForm {
        copy.isJSON ? resource.response : .raw
    }
}

/// What a payload read asks for in its header fields.
struct ReadFacts {
    var accepted: AcceptedEncodings
    var ifNoneMatch: String?
    var range: String?
    var ifRange: String?
    var preferences: Preferences
    var isHead: Bool
    private let request: HTTPRequest

    /// Made only where it is needed: it is text of a number.
    var requestID: String { request.requestID }

    /// Reads the fields that matter to a hit; each look-up is a walk over all fields.
    init(_ request: HTTPRequest, _ codings: CodingMemo) {
        accepted = codings.accepted(request.header("Accept-Encoding"))
        ifNoneMatch = request.header("If-None-Match")
        preferences = Preferences(request.header("Prefer"))
        isHead = request.method == .head
        self.request = request
        range = isHead ? nil : request.header("Range")
        ifRange = range == nil ? nil : request.header("If-Range")
    }
}

/// `Accept-Encoding` fields that were read before: clients send few different ones.
final class CodingMemo {
    private static let fieldsAtMost = 256

    private var known: [String: AcceptedEncodings] = [:]

    /// What `field` accepts.
    func accepted(_ field: String?) -> AcceptedEncodings {
        guard let field else { return .identity }
        if let accepted = known[field] { return accepted }
        if known.count >= Self.fieldsAtMost { known.removeAll() }
        let accepted = AcceptedEncodings(field)
        known[field] = accepted
        return accepted
    }
}

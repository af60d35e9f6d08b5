internal import Codecs
internal import FreshetModel

/// The `http` source: what a server answers, or a part of it.
struct HTTPRefreshSource: RefreshSource {
    private let template: HTTPRequestTemplate
    private let select: JSONPointer?
    private let selectText: String

    init(_ definition: HTTPSource, declared: [ParameterRule]) throws(SourceError) {
        template = try HTTPRequestTemplate(definition, declared: declared)
        selectText = definition.select ?? ""
        if let text = definition.select {
            guard let pointer = JSONPointer(text) else {
                throw .permanent("malformed JSON pointer \(text)")
            }
            select = pointer
        } else {
            select = nil
        }
    }

    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        let fingerprint = try template.fingerprint(context.key, selectText)
        let validators = context.previous.map {
            Validators($0.metadata.facts, fingerprint: fingerprint)
        }
        let request = try template.request(
            for: context.key, validators: validators, traceparent: context.traceparent)
        let source = self
        return try await BlockingThread.run("http", onCancel: .abandon) {
            cancellation throws(SourceError) in
            try source.fetch(request, fingerprint, context.report, cancellation)
        }
    }

    private func fetch(
        _ request: HTTPRequest, _ fingerprint: String,
        _ report: @escaping @Sendable (Progress) -> Void, _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        var body: [UInt8] = []
        var pace = ProgressPace { if !cancellation.isCancelled { report($0) } }
        let response = try HTTPFetch.run(request, cancellation) { done, total in
            pace.tell { Progress(done: Double(done), total: total.map(Double.init)) }
        } sink: { piece in
            JSONText.append(piece, to: &body)
        }
        guard response.status != 304 else { return .notModified }
        guard response.status != 206 else {
            throw SourceError("HTTP 206, only a part, from \(request.url.origin)")
        }
        guard response.status == 200 || !body.isEmpty else {
            throw SourceError("HTTP \(response.status), no content, from \(request.url.origin)")
        }
        var payload = try select(body, response)
        payload.facts.sourceETag = Validators.keep(response.etag, fingerprint: fingerprint)
        payload.facts.sourceLastModified = Validators.keep(
            response.lastModified, fingerprint: fingerprint)
        return .payload(payload)
    }

    private func select(
        _ body: [UInt8], _ response: HTTPResponse
    ) throws(SourceError) -> Payload {
        guard let select else {
            return try Payload.checked(body, contentType: contentType(response))
        }
        let range: Range<Int>?
        do throws(JSONError) {
            range = try select.range(in: body)
        } catch {
            throw SourceError("the answer is \(error)")
        }
        guard let range else { throw SourceError("the answer has nothing at \(selectText)") }
        return try Payload.checked(Array(body[range]), contentType: "application/json")
    }

    private func contentType(_ response: HTTPResponse) -> String {
        guard let type = response.contentType, !type.isEmpty, type.utf8.count <= 255,
            type.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return "application/octet-stream" }
        return type
    }
}

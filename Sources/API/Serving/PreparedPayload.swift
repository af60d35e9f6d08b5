internal import Codecs
internal import FreshetModel
internal import HTTPServer

/// The answer to a read, made once and sent to all who read in the same moment.
final class PreparedPayload {
    /// What an answer depends on, beside version and moment.
    struct State: Hashable {
        var form: ResponseForm
        var encoding: PayloadEncoding
        var isFresh: Bool
        var isRefreshing: Bool
        /// The read itself asked for the refresh.
        var hasTriggered: Bool

        /// 0 ..< `PreparedPayload.count`.
        var index: Int {
            let coding =
                switch encoding {
                case .identity: 0
                case .gzip: 1
                case .zstd: 2
                }
            return coding << 4 | (form == .raw ? 8 : 0) | (isFresh ? 4 : 0)
                | (isRefreshing ? 2 : 0) | (hasTriggered ? 1 : 0)
        }
    }

    /// How many states there are.
    static let count = 48

    /// The tenth of a second the answer is for.
    let moment: Int64
    let tag: EntityTag
    /// 200 with the payload.
    let full: PreparedResponse
    /// 304.
    let notModified: PreparedResponse
    /// The tag as a field value: most clients send back just that.
    private let tagText: String

    init(
        moment: Int64, tag: EntityTag, full: PreparedResponse, notModified: PreparedResponse
    ) {
        self.moment = moment
        self.tag = tag
        self.full = full
        self.notModified = notModified
        tagText = tag.text
    }

    /// Bytes of memory it holds beside the copy's own.
    var ownedBytes: Int { full.ownedBytes + notModified.ownedBytes + 1024 }

    /// Whether `If-None-Match` names the answer.
    func isNamed(byIfNoneMatch field: String) -> Bool {
        field == tagText || tag.isNamed(byIfNoneMatch: field)
    }
}

/// Makes answers from a copy.
struct PayloadRenderer {
    /// Payloads up to this size are compressed together with their envelope, which is smaller;
    /// larger ones are compressed once and spliced.
    private static let spliceAbove = 4 << 10
    /// Below this compression gains nothing worth a header field.
    private static let compressAbove = 128

    /// Whether answers are for one caller: where there are keys.
    var isPrivate: Bool { admission.isClosed }
    let admission: Admission

    /// The coding to answer in, of those a client takes.
    func encoding(
        _ copy: PayloadCopy, _ form: ResponseForm, _ accepted: AcceptedEncodings
    ) -> PayloadEncoding {
        guard accepted.best != .identity, copy.isCompressible,
            form == .envelope || copy.metadata.facts.sizeBytes > Self.compressAbove
        else { return .identity }
        return accepted.best
    }

    /// The variant that must be there before `make` can be called.
    func neededVariant(
        _ copy: PayloadCopy, _ form: ResponseForm, _ encoding: PayloadEncoding
    ) -> PayloadEncoding {
        isWhole(copy.metadata, form, encoding) ? .identity : encoding
    }

    private func isWhole(
        _ metadata: PayloadMetadata, _ form: ResponseForm, _ encoding: PayloadEncoding
    ) -> Bool {
        form == .envelope && encoding != .identity
            && metadata.facts.sizeBytes <= Self.spliceAbove
    }

    /// What an answer is about.
    struct Subject {
        var fields: PayloadFields
        var kind = ReadKind.kept
        var job: Job?
        var maximumAttempts: Int
        /// Which preferences were followed: `Preference-Applied`.
        var applied: String?
    }

    /// Makes the answer in `state`; `variant` is the one `neededVariant` names.
    func make(
        _ state: PreparedPayload.State, _ subject: Subject, variant: PayloadVariant, moment: Int64
    ) -> PreparedPayload {
        let metadata = subject.fields.metadata
        let tag = subject.fields.tag(
            state.form, state.encoding, isRefreshing: state.isRefreshing)
        var headers = commonHeaders(state, subject, tag)
        let shared = headers
        var body: [PreparedResponse.Piece]
        var encoding = state.encoding
        switch state.form {
        case .raw:
            headers.append(("Content-Type", metadata.contentType))
            headers.append(("Accept-Ranges", "bytes"))
            body = variant.body
        case .envelope:
            headers.append(("Content-Type", "application/json"))
            let envelope = Envelope(
                Envelope.Facts(
                    metadata: metadata, isFromCache: subject.kind == .kept,
                    isFresh: state.isFresh, age: subject.fields.age,
                    isRefreshing: state.isRefreshing, job: subject.job,
                    maximumAttempts: subject.maximumAttempts, hasTriggered: state.hasTriggered))
            body = variant.body(in: envelope)
            if isWhole(metadata, state.form, state.encoding) {
                if let whole = compressed(envelope, variant, encoding) {
                    body = [.bytes(whole)]
                } else {
                    encoding = .identity
                }
            }
        }
        if encoding != .identity { headers.append(("Content-Encoding", encoding.rawValue)) }
        let full = PreparedResponse(status: 200, headers: headers, body: body)
        let notModified = PreparedResponse(status: 304, headers: shared)
        return PreparedPayload(moment: moment, tag: tag, full: full, notModified: notModified)
    }

    /// Envelope and payload compressed as one; `nil` when there is no memory for it.
    private func compressed(
        _ envelope: Envelope, _ variant: PayloadVariant, _ encoding: PayloadEncoding
    ) -> [UInt8]? {
        guard case .identity(let bytes) = variant else { return nil }
        do {
            return try Compression.compress(
                envelope.head + bytes.bytes + envelope.tail, encoding == .gzip ? .gzip : .zstd)
        } catch {
            return nil
        }
    }

    /// The fields that 200 and 304 share.
    func commonHeaders(
        _ state: PreparedPayload.State, _ subject: Subject, _ tag: EntityTag
    ) -> [(String, String)] {
        let fields = subject.fields
        var headers = [
            ("ETag", tag.text),
            ("Last-Modified", fields.metadata.modifiedAt.httpDate),
            ("Age", "\(fields.age.milliseconds / 1000)"),
            ("Cache-Control", fields.cacheControl(isPrivate: isPrivate)),
            ("Cache-Status", fields.cacheStatus(subject.kind, isRefreshing: state.isRefreshing)),
            ("X-Freshet-Version", "\(fields.metadata.version)"),
            ("Vary", subject.applied == nil ? "Accept-Encoding" : "Accept-Encoding, Prefer"),
        ]
        if let applied = subject.applied { headers.append(("Preference-Applied", applied)) }
        return headers
    }
}

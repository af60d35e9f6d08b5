/// How the bytes of a stored payload are encoded.
public enum PayloadEncoding: String, Sendable, CaseIterable {
    /// As the source produced them.
    case identity
    /// RFC 1952.
    case gzip
    /// RFC 8878.
    case zstd
}

/// What a source produced.
public struct Payload: Sendable, Hashable {
    /// The bytes, encoded as `encoding` says.
    public var bytes: [UInt8]
    /// How `bytes` are encoded.
    public var encoding: PayloadEncoding = .identity
    /// The media type, such as `application/json`.
    public var contentType: String
    /// What is known about the content without reading it again.
    public var facts = PayloadFacts()

    /// A payload of unencoded bytes.
    public init(bytes: [UInt8], contentType: String) {
        self.bytes = bytes
        self.contentType = contentType
        facts.sizeBytes = bytes.count
    }

    /// Whether the media type is `application/json` or ends in `+json`.
    public var isJSON: Bool { MediaType.isJSON(contentType) }
}

/// Media types, RFC 9110 section 8.3.
public enum MediaType {
    /// Whether `contentType`, parameters aside, is `application/json` or ends in `+json`.
    public static func isJSON(_ contentType: String) -> Bool {
        let essence = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }
}

/// Counts and validators that travel with a payload.
public struct PayloadFacts: Sendable, Hashable {
    /// Size before any encoding.
    public var sizeBytes = 0
    /// Length of a JSON payload that is an array.
    public var itemCount: Int?
    /// Collections of a directory payload.
    public var collectionsCount: Int?
    /// Files of a directory payload.
    public var fileCount: Int?
    /// A hash of the unencoded bytes, hexadecimal; equal content has an equal tag.
    public var contentTag = ""
    /// The source's own `ETag`, for the next conditional request.
    public var sourceETag: String?
    /// The source's own `Last-Modified`, for the next conditional request.
    public var sourceLastModified: String?

    /// Nothing known.
    public init() {}
}

/// The metadata of the payload that is kept for a key; equal `version` means equal bytes.
public struct PayloadMetadata: Sendable, Hashable {
    /// 1 for the first published payload, +1 for each after.
    public var version: Int64
    /// The media type.
    public var contentType: String
    /// The encoding of the stored bytes.
    public var encoding: PayloadEncoding
    /// Size of the stored bytes.
    public var storedBytes: Int
    /// Counts and validators.
    public var facts: PayloadFacts
    /// `cache_date`: when it was published, or its freshness last renewed.
    public var refreshedAt: Timestamp
    /// When the content last changed.
    public var modifiedAt: Timestamp
    /// Stale from here on; `nil` never.
    public var freshUntil: Timestamp?
    /// Gone from here on; `nil` kept until purged.
    public var keptUntil: Timestamp?

    /// Metadata with all that every payload has.
    public init(
        version: Int64, contentType: String, encoding: PayloadEncoding, storedBytes: Int,
        facts: PayloadFacts, refreshedAt: Timestamp, modifiedAt: Timestamp,
        freshUntil: Timestamp?, keptUntil: Timestamp?
    ) {
        self.version = version
        self.contentType = contentType
        self.encoding = encoding
        self.storedBytes = storedBytes
        self.facts = facts
        self.refreshedAt = refreshedAt
        self.modifiedAt = modifiedAt
        self.freshUntil = freshUntil
        self.keptUntil = keptUntil
    }

    /// Whether the payload is fresh at `now`.
    public func isFresh(at now: Timestamp) -> Bool { freshUntil.map { now < $0 } ?? true }

    /// Whether the payload may still be served at `now`.
    public func isKept(at now: Timestamp) -> Bool { keptUntil.map { now < $0 } ?? true }
}

internal import Codecs
internal import FreshetModel

/// One request, parameters filled in.
struct HTTPRequest: Sendable {
    struct Field: Sendable {
        var name: String
        var value: String
    }

    var url: WebURL
    var method: String
    var fields: [Field]
    var body: [UInt8]?
    var bodyType: String?
    /// Bounds of the whole, redirects included.
    var timeout: Duration
    var connectTimeout: Duration
    var maximumBytes: Int
    var maximumRedirects: Int
    /// Whether redirects may lead to private addresses of other hosts.
    var allowsPrivate = false
    /// The kept payload's validators were sent, so a 304 is an answer.
    var isConditional = false
}

/// A request with parameters in it: checked once, filled in for each key.
struct HTTPRequestTemplate: Sendable {
    private let definition: HTTPSource
    private let url: Template
    private let fields: [(name: String, value: Template)]
    private let body: BodyTemplate?

    init(_ definition: HTTPSource, declared: [ParameterRule]) throws(SourceError) {
        self.definition = definition
        url = try Template(definition.url, declared: declared)
        try Self.checkHost(url)
        guard Self.isToken(definition.method) else { throw .permanent("malformed method") }
        var fields: [(name: String, value: Template)] = []
        var contentType: String?
        for (name, value) in definition.headers.sorted(by: { $0.key < $1.key }) {
            guard Self.isToken(name), Self.isFieldValue(value) else {
                throw .permanent("malformed header \(name)")
            }
            if name.lowercased() == "content-type" { contentType = value }
            fields.append((name, try Template(value, declared: declared)))
        }
        self.fields = fields
        if let text = definition.body {
            body = try BodyTemplate(text, contentType: contentType, declared: declared)
        } else {
            body = nil
        }
    }

    /// No parameter may stand where it could choose the host: before the `/`, `?` or `#` that ends
    /// the authority.
    private static func checkHost(_ url: Template) throws(SourceError) {
        var literal = ""
        if case .literal(let text)? = url.pieces.first { literal = text }
        if url.hasParameters {
            guard let scheme = literal.range(of: "://"),
                literal[scheme.upperBound...].contains(where: { "/?#".contains($0) })
            else { throw .permanent("a parameter cannot be part of a URL's host") }
        }
        _ = try WebURL(literal)
    }

    /// The request for `key`, conditional when `validators` are given.
    func request(
        for key: Key, validators: Validators?, traceparent: String?
    ) throws(SourceError) -> HTTPRequest {
        for name in try PathTemplate.namesWithParameters(url, key) {
            // Up to a query or fragment, where dots mean nothing.
            let path = String(name.prefix { $0 != "?" && $0 != "#" })
            guard !PathTemplate.isDots(path) else {
                throw .permanent("a parameter makes a URL's path lead elsewhere")
            }
        }
        let text = try url.expand(key) { value throws(SourceError) in
            PercentEncoding.encode(value)
        }
        var fields: [HTTPRequest.Field] = []
        for field in self.fields {
            let value = try field.value.expand(key) { value throws(SourceError) in
                guard Self.isFieldValue(value) else {
                    throw .permanent("a parameter in a header holds a control character")
                }
                return value
            }
            fields.append(HTTPRequest.Field(name: field.name, value: value))
        }
        func add(_ name: String, _ value: String?) {
            guard let value, !fields.contains(where: { $0.name.lowercased() == name.lowercased() })
            else { return }
            fields.append(HTTPRequest.Field(name: name, value: value))
        }
        add("If-None-Match", validators?.etag)
        add("If-Modified-Since", validators?.lastModified)
        add("traceparent", traceparent)
        add("User-Agent", "Freshet")
        return HTTPRequest(
            url: try WebURL(text), method: definition.method, fields: fields,
            body: try body?.expand(key), bodyType: body?.contentType,
            timeout: definition.timeout, connectTimeout: definition.connectTimeout,
            maximumBytes: definition.maximumBytes, maximumRedirects: definition.maximumRedirects,
            allowsPrivate: definition.allowsPrivate,
            isConditional: validators?.isEmpty == false)
    }

    /// What makes two requests ask for the same thing: validators of one are no use to another.
    func fingerprint(_ key: Key, _ extra: String) throws(SourceError) -> String {
        let text = try url.expand(key) { value throws(SourceError) in
            PercentEncoding.encode(value)
        }
        let parts = [definition.method, text, extra]
        let bodyBytes = try body?.expand(key) ?? []
        let joined = Array(parts.joined(separator: "\n").utf8) + [0] + bodyBytes
        return Hexadecimal.encode(Array(SHA256.hash(joined).prefix(6)))
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// RFC 9110 section 5.5: no CR, LF, NUL or other control character.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }
}

/// The validators of what was fetched before, RFC 9110 section 8.8.
///
/// They are kept with the fingerprint of the request they came from: after a change of the
/// configuration, a 304 would otherwise renew what the old configuration fetched.
struct Validators: Sendable {
    var etag: String?
    var lastModified: String?

    var isEmpty: Bool { etag == nil && lastModified == nil }

    /// Those among `facts` that belong to requests with `fingerprint`.
    init(_ facts: PayloadFacts, fingerprint: String) {
        etag = Self.take(facts.sourceETag, fingerprint)
        lastModified = Self.take(facts.sourceLastModified, fingerprint)
    }

    private static func take(_ kept: String?, _ fingerprint: String) -> String? {
        guard let kept, kept.hasPrefix(fingerprint + " ") else { return nil }
        return String(kept.dropFirst(fingerprint.count + 1))
    }

    /// `value` as it is kept; `nil` when it is none that could be sent back.
    static func keep(_ value: String?, fingerprint: String) -> String? {
        guard let value, !value.isEmpty, value.utf8.count <= 512,
            HTTPRequestTemplate.isFieldValue(value)
        else { return nil }
        return "\(fingerprint) \(value)"
    }
}

extension String {
    /// The first place where `text` stands.
    func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

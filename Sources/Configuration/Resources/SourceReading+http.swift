internal import FreshetModel

extension SourceReading {
    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"]
    /// Header fields that the request itself sets.
    private static let ownHeaders = [
        "content-length", "transfer-encoding", "connection", "if-none-match",
        "if-modified-since", "accept-encoding",
    ]

    mutating func readHTTP(_ fields: Fields) -> Bool {
        guard let url = fields.require("url", Self.httpURL) else { return false }
        var http = HTTPSource(url: url.value)
        note(url, .url)
        fields.read("method", into: &http.method) { node throws(ValueError) in
            let method = try Values.text(node)
            guard Self.methods.contains(method) else {
                throw ValueError(
                    "expected \(Values.alternatives(Self.methods)), found \(node.kind)"
                        + Suggestion.ending(for: method.uppercased(), among: Self.methods))
            }
            return method
        }
        readHeaders(fields, into: &http)
        if let body = fields.read("body", Values.anyText) {
            http.body = body.value
            note(body, .body)
            checkBodyType(fields, body, http.headers)
            if http.method == "GET" {
                fields.report.warn(body.place, "`body` with `method: GET`, which few servers read")
            }
        }
        fields.read("select", intoOptional: &http.select, Self.pointer)
        timeout = fields.read(
            "timeout", Values.duration(.milliseconds(1) ... .seconds(30 * 86_400)))
        if let timeout { http.timeout = timeout.value }
        fields.read(
            "connect_timeout", into: &http.connectTimeout,
            Values.duration(.milliseconds(1) ... .seconds(3600)))
        if http.connectTimeout > http.timeout {
            // The default of one beside a short value of the other is no contradiction.
            if fields["connect_timeout"] != nil {
                fields.report.warn(
                    fields.place(of: "connect_timeout"),
                    "`connect_timeout` is longer than `timeout`, which ends the request before")
            }
            http.connectTimeout = http.timeout
        }
        fields.read("max_bytes", into: &http.maximumBytes, Self.sizes)
        fields.read("max_redirects", into: &http.maximumRedirects, Values.integer(0...20))
        fields.read("allow_private", into: &http.allowsPrivate, Values.bool)
        definition = .http(http)
        return true
    }

    /// A parameter is escaped for the type of the body, so that must be one that is known.
    private func checkBodyType(
        _ fields: Fields, _ body: Located<String>, _ headers: [String: String]
    ) {
        guard let name = Placeholders.names(in: body.value).first,
            let type = headers.first(where: { $0.key.lowercased() == "content-type" })?.value
        else { return }
        let essence = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        let isKnown =
            MediaType.isJSON(type) || essence.hasSuffix("/xml") || essence.hasSuffix("+xml")
            || ["application/x-www-form-urlencoded", "text/plain"].contains(essence)
        if !isKnown {
            fields.report.error(
                body.place,
                "`{\(name)}` cannot be escaped for a body of type \(Fields.quoted(essence)); known "
                    + "are JSON, XML, forms and plain text")
        }
    }

    private mutating func readHeaders(_ fields: Fields, into http: inout HTTPSource) {
        let report = fields.report
        var seen: Set<String> = []
        for (name, text) in fields.map("headers") ?? [] {
            let lower = name.value.lowercased()
            let isToken = name.value.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains($0)
                }
            }
            if !isToken || name.value.isEmpty {
                report.error(
                    name.place, "\(Fields.quoted(name.value)) is no name of a header field")
            } else if Self.ownHeaders.contains(lower) {
                report.error(name.place, "`\(name.value)` is set by the request itself")
            } else if !seen.insert(lower).inserted {
                report.error(name.place, "the header field `\(name.value)` appears twice")
            }
            if text.value.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" }) {
                report.error(text.place, "a header field holds no control characters")
            }
            note(text, .header)
            http.headers[name.value] = text.value
        }
    }

    /// An `http` or `https` URL with a host.
    static func httpURL(_ node: Node) throws(ValueError) -> String {
        let url = try Values.text(node)
        let lower = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else {
            throw ValueError(
                "expected a URL that begins with http:// or https://, found \(node.kind)")
        }
        let host = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        guard !host.isEmpty, !host.hasSuffix("@") else { throw ValueError("the URL has no host") }
        if let name = Placeholders.names(in: String(host)).first {
            throw ValueError("`{\(name)}` would let callers choose the host that is asked")
        }
        guard !url.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
            throw ValueError("a URL holds no spaces; write `%20`")
        }
        return url
    }

    /// RFC 6901: empty for all, or `/` before each step, `~0` for `~` and `~1` for `/`.
    private static func pointer(_ node: Node) throws(ValueError) -> String {
        let pointer = try Values.anyText(node)
        guard pointer.isEmpty || pointer.hasPrefix("/") else {
            throw ValueError("a JSON pointer begins with `/`, found \(node.kind)")
        }
        for step in pointer.split(separator: "~", omittingEmptySubsequences: false).dropFirst() {
            guard step.hasPrefix("0") || step.hasPrefix("1") else {
                throw ValueError("in a JSON pointer `~` is written `~0`, and `/` in a name `~1`")
            }
        }
        return pointer
    }
}

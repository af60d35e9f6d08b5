internal import CCurl

/// A URL taken apart by libcurl, which is also what connects: no second parser to disagree.
struct WebURL: Sendable {
    /// Scheme, host and port: credentials belong to one of these.
    struct Origin: Hashable, Sendable, CustomStringConvertible {
        /// `http` or `https`.
        var scheme: String
        /// Lower case, without a final dot; an IPv6 address in brackets.
        var host: String
        var port: String

        /// For messages: no user, no path, no query, which may all hold secrets.
        var description: String {
            let isUsual = port == (scheme == "https" ? "443" : "80")
            return isUsual ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
        }
    }

    /// The URL without user and password.
    let text: String
    let origin: Origin
    /// Decoded; `nil` when the URL has none.
    let user: String?
    let password: String?

    /// Reads an absolute `http` or `https` URL, or one relative to `base`, RFC 3986 section 5.
    init(_ text: String, relativeTo base: WebURL? = nil) throws(SourceError) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            let handle = unsafe curl_url()
        else { throw .permanent("malformed URL") }
        defer { unsafe curl_url_cleanup(handle) }
        let flags = UInt32(CURLU_URLENCODE)
        if let base { _ = unsafe curl_url_set(handle, CURLUPART_URL, base.text, flags) }
        guard unsafe curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = unsafe Self.part(handle, CURLUPART_SCHEME),
            let host = unsafe Self.part(handle, CURLUPART_HOST), !host.isEmpty,
            let port = unsafe Self.part(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT))
        else { throw .permanent("malformed URL") }
        guard scheme == "http" || scheme == "https" else {
            throw .permanent("\(scheme) is neither http nor https")
        }
        let lower = host.lowercased()
        origin = Origin(
            scheme: scheme, host: lower.hasSuffix(".") ? String(lower.dropLast()) : lower,
            port: port)
        user = unsafe Self.part(handle, CURLUPART_USER, UInt32(CURLU_URLDECODE))
        password = unsafe Self.part(handle, CURLUPART_PASSWORD, UInt32(CURLU_URLDECODE))
        _ = unsafe curl_url_set(handle, CURLUPART_USER, nil, 0)
        _ = unsafe curl_url_set(handle, CURLUPART_PASSWORD, nil, 0)
        _ = unsafe curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0)
        guard let plain = unsafe Self.part(handle, CURLUPART_URL) else {
            throw .permanent("malformed URL")
        }
        self.text = plain
    }

    private init(text: String, origin: Origin, user: String?, password: String?) {
        self.text = text
        self.origin = origin
        self.user = user
        self.password = password
    }

    /// The same URL with the user and password of `other`, which has the same origin.
    func withCredentials(of other: WebURL) -> WebURL {
        WebURL(text: text, origin: origin, user: other.user, password: other.password)
    }

    private static func part(
        _ handle: OpaquePointer, _ part: CURLUPart, _ flags: UInt32 = 0
    ) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK,
            let found = unsafe text
        else { return nil }
        defer { unsafe curl_free(found) }
        return unsafe String(cString: found)
    }
}

internal import Codecs
internal import FreshetModel
internal import HTTPServer

/// `GET /dashboard`: the page for a person who looks after the queue.
///
/// One file without any other: style and script stand in it, and the browser is told by their hashes
/// to run these and nothing else. The page itself tells nothing, so it needs no key; what it asks for
/// with the key that its reader types in does.
struct DashboardPage {
    private let headers: [(String, String)]
    private let tag: EntityTag
    private let plain: [UInt8]
    private let compressed: [UInt8]?

    init() {
        let style = Self.text(PackageResources.dashboard_css)
        // One module, in this order: each file uses what the ones before it define.
        let script = [
            PackageResources.words_js, PackageResources.link_js, PackageResources.charts_js,
            PackageResources.model_js, PackageResources.view_js, PackageResources.page_js,
        ].map(Self.text).joined(separator: "\n")
        let page = Self.text(PackageResources.dashboard_html)
            .replacing("{{style}}", with: style).replacing("{{script}}", with: script)
        plain = Array(page.utf8)
        tag = EntityTag(opaque: SHA256.contentTag(plain), isWeak: true)
        do throws(CodecError) {
            compressed = try Compression.compress(plain, .gzip)
        } catch {
            compressed = nil
        }
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", Self.policy(style: style, script: script)),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
            ("Cache-Control", "no-cache"),
            ("Vary", "Accept-Encoding"),
            ("ETag", tag.text),
        ]
    }

    /// The page, 304 when the client has it.
    func answer(_ request: HTTPRequest) -> HTTPReply {
        if let known = request.header("If-None-Match"), tag.isNamed(byIfNoneMatch: known) {
            return .response(HTTPResponse(status: 304, headers: headers))
        }
        let accepted = AcceptedEncodings(request.header("Accept-Encoding")).preference
        guard let compressed, accepted.first(where: { $0 != .zstd }) == .gzip else {
            return .response(HTTPResponse(status: 200, headers: headers, body: plain))
        }
        return .response(
            HTTPResponse(
                status: 200, headers: headers + [("Content-Encoding", "gzip")], body: compressed))
    }

    /// Nothing but this style and this script; data from this server alone; in nobody's frame. With
    /// trusted types demanded and none allowed, no text can become markup.
    private static func policy(style: String, script: String) -> String {
        [
            "default-src 'none'", "script-src 'sha256-\(hash(script))'",
            "style-src 'sha256-\(hash(style))'", "connect-src 'self'", "img-src data:",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// SHA-256 in the base 64 of RFC 4648 section 4, as the policy wants it.
    private static func hash(_ text: String) -> String {
        Base64URL.encode(SHA256.hash(text)).replacing("-", with: "+").replacing("_", with: "/")
            + "="
    }
}

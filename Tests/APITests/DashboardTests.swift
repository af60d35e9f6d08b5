import Codecs
import FreshetModel
import TestSupport
import Testing

@Suite("the page for people")
struct DashboardTests {
    /// What stands between two tags.
    private static func part(_ page: String, _ begin: String, _ end: String) throws -> String {
        let begin = try #require(page.firstRange(of: begin))
        let rest = page[begin.upperBound...]
        return String(rest[..<(try #require(rest.firstRange(of: end))).lowerBound])
    }

    private static func hash(_ text: String) -> String {
        let encoded = Base64URL.encode(SHA256.hash(text))
        return "'sha256-\(encoded.replacing("-", with: "+").replacing("_", with: "/"))='"
    }

    @Test("it needs no key, and nothing it asks for comes from elsewhere")
    func page() async throws {
        try await APIFixture.run(AccessTests.closed()) { api in
            let response = try await api.get("/dashboard")
            #expect(response.status == 200)
            #expect(response.field("Content-Type") == "text/html; charset=utf-8")
            #expect(response.field("X-Content-Type-Options") == "nosniff")
            #expect(response.field("Referrer-Policy") == "no-referrer")
            let page = response.text
            #expect(page.hasPrefix("<!doctype html>"))
            #expect(page.hasSuffix("</html>\n"))
            for sign in ["{{", "src=", "url(", "@import", "innerHTML", "document.write", "eval("] {
                #expect(!page.contains(sign), "\(sign)")
            }
            let addresses = page.split(separator: "\"").filter { $0.contains("://") }
            #expect(addresses == ["http://www.w3.org/2000/svg"])
            #expect(try await api.get("/v1/queue").status == 401)
        }
    }

    @Test("its policy allows its own style and script by their hashes, and nothing else")
    func policy() async throws {
        try await APIFixture.run { api in
            let response = try await api.get("/dashboard")
            let page = response.text
            let style = try Self.part(page, "<style>", "</style>")
            let script = try Self.part(page, "<script type=\"module\">", "</script>")
            let policy = try #require(response.field("Content-Security-Policy"))
                .split(separator: ";").map { $0.drop { $0 == " " } }
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("script-src \(Self.hash(script))"))
            #expect(policy.contains("style-src \(Self.hash(style))"))
            #expect(policy.contains("connect-src 'self'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(policy.contains("require-trusted-types-for 'script'"))
            #expect(!policy.contains { $0.contains("unsafe") })
            // Attributes that the policy would refuse.
            #expect(!page.contains(" style=\""))
            #expect(!page.contains(" onclick="))
        }
    }

    @Test("it is asked for again without being sent again, and compressed for who takes that")
    func validators() async throws {
        try await APIFixture.run { api in
            let first = try await api.get("/dashboard")
            let tag = try #require(first.field("ETag"))
            #expect(first.field("Cache-Control") == "no-cache")
            let again = try await api.get("/dashboard", ["If-None-Match": tag])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            let zipped = try await api.get("/dashboard", ["Accept-Encoding": "br, zstd, gzip"])
            #expect(zipped.field("Content-Encoding") == "gzip")
            #expect(zipped.field("Vary") == "Accept-Encoding")
            #expect(zipped.body.count < first.body.count / 2)
            let plain = try Compression.decompress(zipped.body, .gzip, maximumBytes: 1 << 20)
            #expect(plain == first.body)
            let head = try await api.send("HEAD", "/dashboard")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            let post = try await api.post("/dashboard")
            #expect(post.status == 405)
            #expect(post.field("Allow") == "GET, HEAD, OPTIONS")
        }
    }

    @Test("it is part of the API's description, and a status tells its lifetime")
    func described() async throws {
        try await APIFixture.run { api in
            let document = try await api.get("/openapi.json")
            #expect(
                document.json["paths"]["/dashboard"]["get"]["operationId"].string == "dashboard")
            try await api.keep("cinema", "[1]", freshFor: .duration(.seconds(90)))
            let status = try await api.get("/v1/resources/cinema/status")
            #expect(status.json["fresh_for_seconds"].number == 90)
            try await api.keep("films", "[1]", freshFor: .never)
            let lasting = try await api.get("/v1/resources/films/status")
            #expect(lasting.json["fresh_for_seconds"] == .null)
        }
    }
}

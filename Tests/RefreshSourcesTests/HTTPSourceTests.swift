import Codecs
import FreshetModel
import RefreshSources
import Testing

@Suite("HTTP source", .timeLimit(.minutes(1)))
struct HTTPSourceTests {
    private func http(
        _ url: String, parameters: [String] = [], _ change: (inout HTTPSource) -> Void = { _ in }
    ) throws -> any RefreshSource {
        var definition = HTTPSource(url: url)
        change(&definition)
        return try source(.http(definition), parameters: parameters)
    }

    @Test("the body is the payload, with type, validators and facts")
    func plain() async throws {
        let server = try TestServer { _, connection in
            connection.answer(200, "[1,2]", ["ETag: \"v1\""])
        }
        let payload = try await http(server.url + "/films").run(context()).payload()
        #expect(payload.text == "[1,2]")
        #expect(payload.contentType == "application/json")
        #expect(payload.facts.itemCount == 2)
        #expect(payload.facts.sizeBytes == 5)
        #expect(payload.facts.sourceETag?.hasSuffix(" \"v1\"") == true)
        #expect(server.requests.first?.method == "GET")
        #expect(server.requests.first?.target == "/films")
    }

    @Test("parameters are percent-encoded in the URL and cannot leave their place")
    func encoding() async throws {
        let server = try TestServer { _, connection in connection.answer(200, "1") }
        let run = try http(server.url + "/a/{p}/b?q={q}", parameters: ["p", "q"])
        _ = try await run.run(context(["p": "x/../y?z#", "q": "é&a=b c\r\nX: y"]))
        #expect(
            server.requests[0].target
                == "/a/x%2F..%2Fy%3Fz%23/b?q=%C3%A9%26a%3Db%20c%0D%0AX%3A%20y")
        for value in ["..", "."] {
            #expect(try await failure(run, context(["p": value, "q": ""])).isPermanent)
        }
    }

    @Test(
        "a parameter cannot be part of the host, and only http and https are spoken",
        arguments: [
            "http://{p}/", "http://{p}.example.org/", "http://example.org{p}", "{p}",
            "http://user:{p}@example.org/", "http://example.org:{p}/", "{p}://example.org/",
            "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "/path", "",
            "http://", "example.org/x", "http://exa mple.org/", "http://a/\r\nb",
        ])
    func hosts(url: String) {
        #expect(throws: SourceError.self) { try http(url, parameters: ["p"]) }
    }

    @Test("a parameter in a query right after the host is fine")
    func query() async throws {
        let server = try TestServer { _, connection in connection.answer(200, "1") }
        _ = try await http(server.url + "?q={p}", parameters: ["p"]).run(context(["p": "@x/"]))
        #expect(server.requests[0].target == "/?q=%40x%2F")
    }

    @Test("header fields take parameters without control characters")
    func headers() async throws {
        let server = try TestServer { _, connection in connection.answer(200, "1") }
        let run = try http(server.url, parameters: ["p"]) {
            $0.headers = ["X-City": "c={p}", "Authorization": "Bearer t", "X-Empty": ""]
        }
        var job = try context(["p": "Zürich"])
        job.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        _ = try await run.run(job)
        let fields = server.requests[0].fields
        #expect(fields["x-city"] == "c=Zürich")
        #expect(fields["authorization"] == "Bearer t")
        #expect(fields["x-empty"] == "")
        #expect(fields["traceparent"] == job.traceparent)
        #expect(fields["user-agent"] == "Freshet")
        for value in ["a\r\nX: y", "a\nb", "a\rb"] {
            #expect(try await failure(run, context(["p": value])).isPermanent)
        }
        for (name, value) in [("X\r\nY", "z"), ("X Y", "z"), ("X", "a\r\nY: b"), ("", "x")] {
            #expect(throws: SourceError.self) {
                try http(server.url) { $0.headers = [name: value] }
            }
        }
    }

    @Test("bodies are escaped for their type")
    func bodies() async throws {
        let server = try TestServer { _, connection in connection.answer(200, "1") }
        let value = "a\"b\\c&d=<e> \n{p}"
        func post(_ body: String, _ type: String?) async throws -> TestServer.Request {
            let run = try http(server.url, parameters: ["p"]) {
                $0.method = "POST"
                $0.body = body
                if let type { $0.headers["Content-Type"] = type }
            }
            _ = try await run.run(context(["p": value]))
            return try #require(server.requests.last)
        }
        let json = try await post("{\"q\":\"{p}\",\"n\":{}}", nil)
        #expect(json.body == "{\"q\":\"a\\\"b\\\\c&d=<e> \\n{p}\",\"n\":{}}")
        #expect(json.fields["content-type"] == "application/json")
        #expect(json.method == "POST")
        let form = try await post("q={p}&x=1", nil)
        #expect(form.body == "q=a%22b%5Cc%26d%3D%3Ce%3E%20%0A%7Bp%7D&x=1")
        #expect(form.fields["content-type"] == "application/x-www-form-urlencoded")
        let xml = try await post("<q>{p}</q>", "text/xml; charset=utf-8")
        #expect(xml.body == "<q>a&quot;b\\c&amp;d=&lt;e&gt; \n{p}</q>")
        #expect(throws: SourceError.self) {
            try http(server.url, parameters: ["p"]) {
                $0.body = "{p}"
                $0.headers = ["Content-Type": "application/octet-stream"]
            }
        }
    }

    @Test("outside a JSON string a parameter can only be one number or word")
    func bareJSON() async throws {
        let server = try TestServer { _, connection in connection.answer(200, "1") }
        let run = try http(server.url, parameters: ["p"]) {
            $0.method = "PUT"
            $0.body = "{\"a\\\"\": {p}}"
        }
        for value in ["12", "-1.5", "true", "null"] {
            _ = try await run.run(context(["p": value]))
            #expect(server.requests.last?.body == "{\"a\\\"\": \(value)}")
        }
        for value in ["1,\"admin\":1", "[]", "", "a", "1 2", "\"x\""] {
            #expect(try await failure(run, context(["p": value])).isPermanent, "\(value)")
        }
    }

    @Test("select takes the part a JSON pointer leads to")
    func select() async throws {
        let server = try TestServer { request, connection in
            connection.answer(
                200,
                Array(request.target == "/bad" ? "{".utf8 : "{\"data\":{\"items\":[1, 2,3]}}".utf8),
                type: "text/plain")
        }
        let payload = try await http(server.url) { $0.select = "/data/items" }
            .run(context()).payload()
        #expect(payload.text == "[1, 2,3]")
        #expect(payload.contentType == "application/json")
        #expect(payload.facts.itemCount == 3)
        let absent = try http(server.url) { $0.select = "/data/nothing" }
        #expect(try await failure(absent, context()).message.contains("/data/nothing"))
        let bad = try http(server.url + "/bad") { $0.select = "/data" }
        #expect(try await !failure(bad, context()).isPermanent)
        #expect(throws: SourceError.self) { try http(server.url) { $0.select = "data" } }
    }

    @Test("what is declared JSON must be; anything else passes with its type")
    func types() async throws {
        let server = try TestServer { request, connection in
            switch request.target {
            case "/text": connection.answer(200, [0xFF, 0x00], type: "image/png")
            case "/none": connection.answer(200, [0x61], type: nil)
            case "/problem": connection.answer(200, [0x61], type: "application/problem+json")
            case "/empty": connection.answer(204, [], type: nil)
            default: connection.answer(200, "{\"a\":NaN}")
            }
        }
        #expect(try await failure(http(server.url), context()).message.contains("not JSON"))
        #expect(
            try await failure(http(server.url + "/problem"), context()).message.contains("JSON"))
        let image = try await http(server.url + "/text").run(context()).payload()
        #expect(image.contentType == "image/png")
        #expect(image.bytes == [0xFF, 0x00])
        let none = try await http(server.url + "/none").run(context()).payload()
        #expect(none.contentType == "application/octet-stream")
        #expect(try await failure(http(server.url + "/empty"), context()).message.contains("204"))
    }

    @Test("validators of the kept payload make a 304 renew it")
    func conditional() async throws {
        let server = try TestServer { request, connection in
            if request.fields["if-none-match"] == "W/\"7\"" {
                connection.answer(304, [], type: nil)
            } else {
                connection.answer(
                    200, "[1]",
                    ["ETag: W/\"7\"", "Last-Modified: Fri, 28 Nov 2025 10:30:00 GMT"])
            }
        }
        let run = try http(server.url + "/x")
        let first = try await run.run(context()).payload()
        #expect(try await run.run(context(previous: kept(first))).isNotModified)
        #expect(
            server.requests[1].fields["if-modified-since"] == "Fri, 28 Nov 2025 10:30:00 GMT")
        // Another request has no use for them.
        let other = try http(server.url + "/x") { $0.select = "/0" }
        #expect(try await other.run(context(previous: kept(first))).payload().text == "1")
        #expect(server.requests[2].fields["if-none-match"] == nil)
    }

    @Test("a 304 that nobody asked for is a failure")
    func unasked() async throws {
        let server = try TestServer { _, connection in connection.answer(304, [], type: nil) }
        let error = try await failure(http(server.url), context())
        #expect(error.message.contains("304"))
    }

    @Test("4xx is for good, but 408, 425, 429 and 5xx are not; messages hold no secret")
    func statuses() async throws {
        let server = try TestServer { request, connection in
            connection.answer(
                Int(request.target.dropFirst().prefix(3)) ?? 500, "{\"s\":\"s3cret\"}")
        }
        for (status, isPermanent) in [
            (400, true), (401, true), (403, true), (404, true), (410, true), (451, true),
            (408, false), (425, false), (429, false), (500, false), (503, false), (300, false),
        ] {
            let url = "http://user:s3cret@127.0.0.1:\(server.port)/\(status)?key=s3cret"
            let run = try http(url) { $0.headers = ["X-Key": "s3cret"] }
            let error = try await failure(run, context())
            #expect(error.isPermanent == isPermanent, "\(status)")
            #expect(error.message.contains("\(status)"))
            #expect(!error.message.contains("s3cret"))
            #expect(!error.isUnreachable)
        }
        #expect(server.requests[0].fields["authorization"] == "Basic dXNlcjpzM2NyZXQ=")
    }

    @Test("a server that cannot be reached is told as such")
    func unreachable() async throws {
        let server = try TestServer { _, _ in }
        let port = server.port
        #expect(try await !failure(http(server.url), context()).isUnreachable)
        withExtendedLifetime(server) {}
        for url in ["http://127.0.0.1:1/", "http://no-such-host.invalid/"] {
            let error = try await failure(http(url), context())
            #expect(error.isUnreachable)
            #expect(!error.isPermanent)
        }
        _ = port
    }

    @Test("progress tells bytes of the length announced")
    func progress() async throws {
        let server = try TestServer { _, connection in
            connection.answer(200, "\"" + String(repeating: "x", count: 500_000) + "\"")
        }
        let told = Recorder<Progress>()
        _ = try await http(server.url).run(context { told.add($0) })
        #expect(told.values.first?.total == 500_002)
    }
}

import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("Redirects", .timeLimit(.minutes(1)))
struct RedirectTests {
    private func http(
        _ url: String, _ change: (inout HTTPSource) -> Void = { _ in }
    ) throws -> any RefreshSource {
        var definition = HTTPSource(url: url)
        change(&definition)
        return try source(.http(definition))
    }

    @Test("they are followed, relative ones too, up to max_redirects")
    func followed() async throws {
        let server = try TestServer { request, connection in
            let left = Int(request.target.split(separator: "/").last ?? "") ?? 0
            if left == 0 {
                connection.answer(200, "[1]")
            } else {
                connection.redirect(302, "\(left - 1)")
            }
        }
        let run = try http(server.url + "/a/5")
        #expect(try await run.run(context()).payload().text == "[1]")
        let error = try await failure(http(server.url + "/a/6"), context())
        #expect(error.isPermanent)
        #expect(error.message.contains("max_redirects"))
        let none = try http(server.url + "/a/1") { $0.maximumRedirects = 0 }
        #expect(try await failure(none, context()).isPermanent)
    }

    @Test("a loop ends")
    func loop() async throws {
        let server = try TestServer { _, connection in connection.redirect(301, "/again") }
        #expect(try await failure(http(server.url), context()).isPermanent)
        #expect(server.requests.count == 6)
    }

    @Test("a redirect cannot lead to a private address of another host")
    func forbidden() async throws {
        let victim = try TestServer(host: "127.0.0.2") { _, connection in
            connection.answer(200, "\"secret\"")
        }
        let port = victim.port
        let targets = [
            "http://127.0.0.2:\(port)/", "//127.0.0.2:\(port)/", "http://2130706434:\(port)/",
            "http://0x7f000002:\(port)/", "http://127.2:\(port)/", "http://0177.0.0.2:\(port)/",
            "http://[::ffff:127.0.0.2]:\(port)/", "http://[::ffff:7f00:2]:\(port)/",
            "http://[64:ff9b::127.0.0.2]:\(port)/", "http://[::1]:\(port)/", "http://[::]:\(port)/",
            "http://0.0.0.0:\(port)/", "http://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/", "http://192.168.1.1/", "http://[fe80::1]/", "http://[fd00::1]/",
            "http://127.0.0.2:\(port)/a/../b", "http://127.0.0.2.:\(port)/",
        ]
        let target = Recorder<String>()
        let server = try TestServer { request, connection in
            connection.redirect(302, targets[Int(request.target.dropFirst()) ?? 0])
            target.add(request.target)
        }
        for index in targets.indices {
            let error = try await failure(http("\(server.url)/\(index)"), context())
            #expect(!error.message.contains("secret"), "\(targets[index])")
        }
        #expect(target.values.count == targets.count)
        #expect(victim.requests.isEmpty)
    }

    @Test("unless the configuration says so")
    func allowed() async throws {
        let other = try TestServer(host: "127.0.0.2") { _, connection in
            connection.answer(200, "[2]")
        }
        let server = try TestServer { _, connection in connection.redirect(302, other.url) }
        let run = try http(server.url) { $0.allowsPrivate = true }
        #expect(try await run.run(context()).payload().text == "[2]")
    }

    @Test("a redirect is only followed to http and https, without credentials in the URL")
    func schemes() async throws {
        let targets = [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x", "javascript:1",
            "dict://127.0.0.1:11211/stat", "http://user:pass@127.0.0.1/", "http://", "",
        ]
        let server = try TestServer { request, connection in
            connection.redirect(302, targets[Int(request.target.dropFirst()) ?? 0])
        }
        for index in targets.indices {
            let run = try http("\(server.url)/\(index)") { $0.timeout = .seconds(3) }
            await #expect(throws: SourceError.self, "\(targets[index])") {
                try await run.run(context())
            }
        }
        #expect(server.requests.count >= targets.count)
    }

    @Test("the configured host may be private, and redirect to itself on another port")
    func itself() async throws {
        let second = try TestServer { _, connection in connection.answer(200, "[2]") }
        let first = try TestServer { _, connection in connection.redirect(307, second.url + "/x") }
        #expect(try await http(first.url).run(context()).payload().text == "[2]")
    }

    @Test("credentials do not go along to another origin")
    func credentials() async throws {
        let second = try TestServer { _, connection in connection.answer(200, "[2]") }
        let first = try TestServer { request, connection in
            if request.target == "/here" {
                connection.redirect(302, "/there")
            } else {
                connection.redirect(302, second.url)
            }
        }
        let run = try http("http://user:pass@127.0.0.1:\(first.port)/here") {
            $0.headers = [
                "X-Api-Key": "k", "Cookie": "c=1", "Accept": "application/json",
                "Proxy-Authorization": "p",
            ]
        }
        _ = try await run.run(context())
        #expect(first.requests.count == 2)
        for request in first.requests {
            #expect(request.fields["x-api-key"] == "k")
            #expect(request.fields["authorization"] == "Basic dXNlcjpwYXNz")
        }
        let fields = second.requests[0].fields
        #expect(fields["accept"] == "application/json")
        for name in ["x-api-key", "cookie", "authorization", "proxy-authorization"] {
            #expect(fields[name] == nil)
        }
    }

    @Test("a POST becomes a GET or stays what it is, as the status says; a body stays at home")
    func methods() async throws {
        let other = try TestServer { _, connection in connection.answer(200, "1") }
        let server = try TestServer { request, connection in
            switch request.target {
            case "/done": connection.answer(200, "1")
            case "/away": connection.redirect(307, other.url)
            default: connection.redirect(Int(request.target.dropFirst()) ?? 302, "/done")
            }
        }
        for (status, method) in [
            (301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST"),
        ] {
            let run = try http("\(server.url)/\(status)") {
                $0.method = "POST"
                $0.body = "{}"
            }
            _ = try await run.run(context())
            let last = try #require(server.requests.last)
            #expect(last.method == method)
            #expect(last.body == (method == "POST" ? "{}" : ""))
        }
        let away = try http("\(server.url)/away") {
            $0.method = "POST"
            $0.body = "{}"
        }
        #expect(try await failure(away, context()).isPermanent)
        #expect(other.requests.isEmpty)
    }
}

import HTTPServer
import Runtime
import Testing

@Suite("Requests and responses")
struct RequestTests {
    /// Answers with what it got.
    static func echo(_ loop: EventLoop) -> (HTTPRequest) -> HTTPReply {
        { request in
            let text = """
                \(request.method.name) \(request.path) \(request.query ?? "-") \
                \(request.header("X-Test") ?? "-") \(request.headers(named: "x-many")) \
                \(request.remoteAddress) \(request.body.count)
                """
            return .response(
                HTTPResponse(
                    status: 200, headers: [("Content-Type", "text/plain"), ("X-Echo", "yes")],
                    body: Array(text.utf8)))
        }
    }

    @Test("a request is handed over raw, and answered on a kept connection")
    func echoes() async throws {
        try await TestServer.run(handler: Self.echo) { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.get("/a%2Fb?x=%20&y", "x-TEST:  hello \r\nX-Many: 1\r\nX-Many: 2\r\n")
                let first = try client.readResponse()
                #expect(first.status == 200)
                #expect(
                    first.text == #"GET /a%2Fb x=%20&y hello ["1", "2"] 127.0.0.1 0"#)
                #expect(first.field("X-Echo") == "yes")
                #expect(first.field("Date")?.hasSuffix("GMT") == true)
                #expect(first.field("Date")?.utf8.count == 29)
                try client.send(
                    "POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
                #expect(try client.readResponse().text == "POST /p - - [] 127.0.0.1 5")
                try client.send(
                    "PUT http://t/abs?q HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                #expect(try client.readResponse().text == "PUT /abs q - [] 127.0.0.1 5")
                try client.get("/last", "Connection: close\r\n")
                let last = try client.readResponse()
                #expect(last.field("Connection") == "close")
                #expect(try client.isClosedByServer())
            }
        }
    }

    @Test("every response has a request id: the client's if it is sane, else a fresh one")
    func requestIDs() async throws {
        try await TestServer.run { _ in
            let shared = PreparedResponse(status: 200, headers: [], body: [.bytes([0x61])])
            return { _ in .prepared(shared) }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                var seen: Set<String> = []
                for _ in 0..<50 {
                    try client.get("/")
                    let id = try client.readResponse().field("X-Request-Id") ?? ""
                    #expect(id.utf8.count == 16 && id.allSatisfy(\.isHexDigit))
                    seen.insert(id)
                }
                #expect(seen.count == 50)
                for given in ["abc", "0123456789abcdef", String(repeating: "x", count: 128), "z"] {
                    try client.get("/", "X-Request-Id: \(given)\r\n")
                    #expect(try client.readResponse().field("X-Request-Id") == given)
                    try client.get("/")
                    let fresh = try client.readResponse().fields.filter {
                        $0.name == "X-Request-Id"
                    }
                    #expect(fresh.count == 1 && fresh[0].value.utf8.count == 16)
                }
                for bad in ["a b", "a/b", String(repeating: "x", count: 129), ""] {
                    try client.get("/", "X-Request-Id: \(bad)\r\n")
                    #expect(try client.readResponse().field("X-Request-Id")?.utf8.count == 16)
                }
            }
        }
    }

    @Test("a shared response carries each request's own id, pipelined and side by side")
    func sharedResponse() async throws {
        try await TestServer.run { _ in
            let shared = PreparedResponse(
                status: 200, headers: [("ETag", "\"1\"")],
                body: [.bytes(Array("<".utf8)), .shared(SharedBytes(Array("body".utf8)))],
                slots: [.init("Age", width: 10, value: "0")])
            return { request in
                let age = request.header("X-Age").map { [$0] }
                return .prepared(shared, extra: age)
            }
        } body: { server in
            try await blocking {
                let clients = try (0..<20).map { _ in try TestClient(server.port) }
                for (number, client) in clients.enumerated() {
                    var requests = ""
                    for request in 0..<50 {
                        requests +=
                            "GET / HTTP/1.1\r\nHost: t\r\nX-Request-Id: c\(number)-\(request)\r\n"
                            + "X-Age: \(number * request)\r\n\r\n"
                    }
                    try client.send(requests)
                }
                for (number, client) in clients.enumerated() {
                    for request in 0..<50 {
                        let response = try client.readResponse()
                        #expect(response.field("X-Request-Id") == "c\(number)-\(request)")
                        #expect(response.field("Age") == "\(number * request)")
                        #expect(response.text == "<body")
                    }
                }
            }
        }
    }

    @Test("HEAD has the header of GET, Content-Length included, and no body")
    func head() async throws {
        try await TestServer.run { _ in
            let big = SharedBytes([UInt8](repeating: 0x78, count: 300_000))
            let shared = PreparedResponse(
                status: 200, headers: [("ETag", "\"7\"")],
                body: [.bytes([1]), .shared(big), .bytes([2])])
            return { request in
                request.path == "/p"
                    ? .prepared(shared)
                    : .response(HTTPResponse(status: 200, body: Array("hello".utf8)))
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.get("/p", method: "HEAD")
                let prepared = try client.readResponse(to: "HEAD")
                #expect(prepared.field("Content-Length") == "300002")
                #expect(prepared.field("ETag") == "\"7\"")
                try client.get("/r", method: "HEAD")
                #expect(try client.readResponse(to: "HEAD").field("Content-Length") == "5")
                try client.get("/p")
                #expect(try client.readResponse().body.count == 300_002)
                try client.get("/r")
                #expect(try client.readResponse().text == "hello")
            }
        }
    }

    @Test("a 304 and a 204 have no body, and the connection goes on")
    func withoutBody() async throws {
        try await TestServer.run { _ in
            let notModified = PreparedResponse(status: 304, headers: [("ETag", "\"1\"")])
            let empty = PreparedResponse(status: 204, headers: [])
            return { $0.path == "/304" ? .prepared(notModified) : .prepared(empty) }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                for _ in 0..<3 {
                    try client.get("/304")
                    let response = try client.readResponse()
                    #expect(response.status == 304 && response.field("ETag") == "\"1\"")
                    try client.get("/204")
                    #expect(try client.readResponse().status == 204)
                }
            }
        }
    }

    @Test("a value from the world cannot end its header field")
    func headerInjection() async throws {
        try await TestServer.run { _ in
            { _ in
                .response(
                    HTTPResponse(
                        status: 200,
                        headers: [
                            ("X-World", "a\r\nX-Evil: 1"), ("X-Request-Id", "mine"), ("Date", "no"),
                            ("X-Empty", ""),
                        ]))
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.get("/")
                let response = try client.readResponse()
                #expect(response.field("X-World") == "a  X-Evil: 1")
                #expect(response.field("X-Evil") == nil && response.field("X-Empty") == nil)
                #expect(response.fields.filter { $0.name == "X-Request-Id" }.count == 1)
                #expect(response.field("X-Request-Id") != "mine")
                #expect(response.fields.filter { $0.name == "Date" }.count == 1)
            }
        }
    }

    @Test("HTTP/1.0 needs no Host, and its connection is closed")
    func version10() async throws {
        try await TestServer.run(handler: Self.echo) { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.send("GET /old HTTP/1.0\r\n\r\n")
                let answer = try client.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(answer.hasSuffix("GET /old - - [] 127.0.0.1 0"))
            }
        }
    }

    @Test("Expect: 100-continue is answered before the body is sent")
    func expectContinue() async throws {
        try await TestServer.run(handler: Self.echo) { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.send(
                    "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
                )
                #expect(try client.readLine() == "HTTP/1.1 100 Continue")
                #expect(try client.readLine() == "")
                try client.send("body")
                #expect(try client.readResponse().text == "POST / - - [] 127.0.0.1 4")
            }
        }
    }

    @Test("IPv6 and a shared port")
    func listening() async throws {
        try await TestServer.run {
            $0.host = "::1"
        } handler: {
            Self.echo($0)
        } body: { server in
            try await TestServer.run {
                $0.host = "::1"
                $0.port = server.port
            } handler: {
                Self.echo($0)
            } body: { second in
                #expect(second.port == server.port)
                try await blocking {
                    for _ in 0..<64 {
                        let client = try TestClient(server.port, host: "::1")
                        try client.get("/")
                        #expect(try client.readResponse().text.hasSuffix(" ::1 0"))
                    }
                }
                // The system spreads connections over both.
                let name = "freshet_http_requests_total"
                #expect((server.metrics.sample(name) ?? 0) > 0)
                #expect((second.metrics.sample(name) ?? 0) > 0)
            }
        }
    }

    @Test("a port in use is an error that says so")
    func portInUse() async throws {
        try await TestServer.run {
            $0.sharesPort = false
        } handler: {
            Self.echo($0)
        } body: { server in
            await #expect(throws: HTTPServerError.self) {
                try await TestServer.run {
                    $0.port = server.port
                } handler: {
                    Self.echo($0)
                } body: { _ in
                }
            }
        }
    }

    @Test("a 304 names no length but 0: many clients wait for what it names")
    func notModified() async throws {
        try await TestServer.run { _ in
            let unchanged = PreparedResponse(status: 304, headers: [("ETag", "\"1\"")])
            return { _ in .prepared(unchanged) }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                for method in ["GET", "HEAD", "GET"] {
                    try client.get("/", method: method)
                    let head = try client.readHead()
                    #expect(head.status == 304 && head.field("ETag") == "\"1\"")
                    #expect(["0", nil].contains(head.field("Content-Length")))
                    #expect(head.field("Transfer-Encoding") == nil)
                }
                try client.get("/", "Connection: close\r\n")
                #expect(try client.readHead().status == 304)
                #expect(try client.isClosedByServer())
            }
        }
    }

    @Test("fields of one answer stand in no other, though both are the same response")
    func addedFields() async throws {
        try await TestServer.run { _ in
            let shared = PreparedResponse(status: 200, headers: [], body: [.bytes([0x61])])
            var count = 0
            return { request in
                count += 1
                if request.path != "/without" {
                    request.exchange.addedFields = [HTTPField("X-Count", "\(count)")]
                }
                if request.path == "/stream" {
                    let stream = EventStream()
                    stream.finish()
                    return .stream(stream)
                }
                return .prepared(shared)
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                for (target, value) in [("/", "1"), ("/", "2"), ("/without", nil), ("/", "4")] {
                    try client.get(target)
                    let response = try client.readResponse()
                    #expect(
                        response.fields.filter { $0.name == "X-Count" }.map(\.value).first == value)
                    #expect(
                        response.fields.count { $0.name == "X-Count" } == (value == nil ? 0 : 1))
                }
                try client.get("/stream")
                #expect(try client.readHead().field("X-Count") == "5")
            }
        }
    }
}

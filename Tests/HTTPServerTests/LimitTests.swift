import Glibc
import HTTPServer
import Runtime
import Testing

@Suite("Limits and malformed requests")
struct LimitTests {
    private static func ok(_ loop: EventLoop) -> (HTTPRequest) -> HTTPReply {
        let shared = PreparedResponse(status: 200, headers: [], body: [.bytes(Array("ok".utf8))])
        return { _ in .prepared(shared) }
    }

    /// Sends bytes as the first request and as the second of a connection.
    private func expectRefusal(
        _ bytes: String, _ status: Int, _ code: String, secondToo: Bool = true
    ) async throws {
        try await TestServer.run(handler: Self.ok) { server in
            try await blocking {
                for isFirst in secondToo ? [true, false] : [true] {
                    let client = try TestClient(server.port)
                    if !isFirst {
                        try client.get("/")
                        #expect(try client.readResponse().status == 200)
                    }
                    try client.send(bytes)
                    let response = try client.readResponse()
                    #expect(response.status == status, "first: \(isFirst)")
                    #expect(response.text.contains("\"code\":\"\(code)\""), "\(response.text)")
                    #expect(response.field("Content-Type") == "application/problem+json")
                    #expect(response.field("Connection") == "close")
                    let id = response.field("X-Request-Id") ?? ""
                    #expect(id.utf8.count == 16)
                    #expect(response.text.contains("\"request_id\":\"\(id)\""))
                    #expect(try client.isClosedByServer())
                }
            }
        }
    }

    @Test(
        "what could be read in two ways is refused",
        arguments: [
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length : 3\r\n\r\nabc",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3x\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        ])
    func ambiguous(bytes: String) async throws {
        let isTooLarge = bytes.contains("99999999999999999999")
        try await expectRefusal(
            bytes, isTooLarge ? 400 : 400, "malformed_request", secondToo: !isTooLarge)
    }

    @Test(
        "what is not HTTP/1 is refused",
        arguments: [
            "GARBAGE\r\n\r\n", "GET  / HTTP/1.1\r\nHost: t\r\n\r\n",
            "GET / HTTX/1.1\r\nHost: t\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n",
            "G\u{1}T / HTTP/1.1\r\nHost: t\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: t\r\nA: \u{0}\r\n\r\n",
        ])
    func malformed(bytes: String) async throws {
        try await expectRefusal(bytes, 400, "malformed_request", secondToo: false)
    }

    @Test("a target with a blank is refused, also on a kept connection")
    func blankInTarget() async throws {
        try await expectRefusal(
            "GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", 400, "malformed_request")
    }

    @Test("HTTP/2 is not spoken")
    func version() async throws {
        try await expectRefusal(
            "GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505, "version_not_supported")
    }

    @Test("a header too large is 431, a target too long 414", arguments: [9_000, 40_000, 200_000])
    func tooLarge(size: Int) async throws {
        let filler = String(repeating: "a", count: size)
        try await expectRefusal(
            "GET / HTTP/1.1\r\nHost: t\r\nX-Filler: \(filler)\r\n\r\n", 431, "header_too_large")
        try await expectRefusal(
            "GET /\(filler) HTTP/1.1\r\nHost: t\r\n\r\n", 414, "target_too_long")
    }

    @Test("a target just too long and many fields are refused by the server itself")
    func justTooLarge() async throws {
        try await expectRefusal(
            "GET /\(String(repeating: "a", count: 4096)) HTTP/1.1\r\nHost: t\r\n\r\n", 414,
            "target_too_long")
        let fields = (0..<150).map { "X-\($0): v\r\n" }.joined()
        try await expectRefusal(
            "GET / HTTP/1.1\r\nHost: t\r\n\(fields)\r\n", 431, "header_too_large", secondToo: false)
    }

    @Test("a long query is no header fields")
    func longQuery() async throws {
        try await TestServer.run { _ in
            { .response(HTTPResponse(status: 200, body: Array(($0.query ?? "").utf8))) }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                let query = String(repeating: "a&", count: 2000)
                for _ in 0..<2 {
                    try client.get("/?\(query)")
                    let response = try client.readResponse()
                    #expect(response.status == 200 && response.text == query)
                }
            }
        }
    }

    @Test("a body too large is 413 without being read")
    func bodyTooLarge() async throws {
        try await TestServer.run {
            $0.limits.bodyBytes = 1000
        } handler: {
            Self.ok($0)
        } body: { server in
            try await blocking {
                for isFirst in [true, false] {
                    let client = try TestClient(server.port)
                    if !isFirst {
                        try client.get("/")
                        _ = try client.readResponse()
                    }
                    // Far more is announced than is ever sent.
                    try client.send(
                        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000000\r\n\r\n"
                            + String(repeating: "x", count: 100_000))
                    let response = try client.readResponse()
                    #expect(response.status == 413)
                    #expect(response.text.contains("body_too_large"))
                    #expect(try client.isClosedByServer())
                }
                let chunked = try TestClient(server.port)
                try chunked.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
                let chunk = "100\r\n" + String(repeating: "y", count: 256) + "\r\n"
                for _ in 0..<8 { try chunked.send(chunk) }
                let response = try chunked.readResponse()
                #expect(response.status == 413 && response.text.contains("body_too_large"))
                #expect(try chunked.isClosedByServer())

                let fits = try TestClient(server.port)
                try fits.send(
                    "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n"
                        + String(repeating: "z", count: 1000))
                #expect(try fits.readResponse().status == 200)
            }
        }
    }

    @Test("a malformed chunk is 400")
    func malformedChunk() async throws {
        try await expectRefusal(
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
            "malformed_request")
    }

    @Test("who drips a header or a body is told 408, who is idle is closed")
    func deadlines() async throws {
        try await TestServer.run {
            $0.limits.headerTimeout = .milliseconds(500)
            $0.limits.bodyTimeout = .milliseconds(500)
            $0.limits.idleTimeout = .milliseconds(1500)
        } handler: {
            Self.ok($0)
        } body: { server in
            try await blocking {
                let silent = try TestClient(server.port)
                let first = try TestClient(server.port)
                let second = try TestClient(server.port)
                let body = try TestClient(server.port)
                let idle = try TestClient(server.port)
                let drip = try TestClient(server.port)
                for client in [second, idle, drip] {
                    try client.get("/")
                    _ = try client.readResponse()
                }
                try first.send("GET / HTTP/1.1\r\nHost: ")
                try second.send("GET / HTTP/1.1\r\nHost: t\r\nX: ")
                try body.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc")
                for client in [first, second, body] {
                    let response = try client.readResponse()
                    #expect(response.status == 408 && response.text.contains("request_timeout"))
                    #expect(try client.isClosedByServer())
                }
                #expect(try silent.isClosedByServer())
                #expect(try idle.isClosedByServer())
                // A request line that drips puts nothing off.
                var isClosed = false
                for _ in 0..<1000 where !isClosed {
                    do { try drip.send("G") } catch { isClosed = true }
                    usleep(10_000)
                }
                #expect(isClosed)
            }
        }
    }

    @Test("a reader that takes nothing is given up")
    func writeTimeout() async throws {
        try await TestServer.run {
            $0.limits.writeTimeout = .milliseconds(300)
        } handler: { _ in
            let big = PreparedResponse(
                status: 200, headers: [],
                body: [.shared(SharedBytes([UInt8](repeating: 1, count: 50_000_000)))])
            return { _ in .prepared(big) }
        } body: { server in
            try await blocking {
                let slow = try TestClient(server.port, receiveBuffer: 4096)
                let steady = try TestClient(server.port)
                try slow.get("/")
                try steady.get("/")
                _ = try slow.readHead()
                // One takes its time and is served, one takes nothing and is not.
                _ = try steady.readHead()
                for _ in 0..<10 {
                    try steady.skip(5_000_000)
                    usleep(100_000)
                }
                #expect(throws: ClientError.self) { try slow.skip(50_000_000) }
            }
        }
    }

    @Test("connections past the limit wait in the kernel and are served when one goes")
    func connectionLimit() async throws {
        try await TestServer.run {
            $0.limits.connections = 4
        } handler: {
            Self.ok($0)
        } body: { server in
            try await blocking {
                var clients = try (0..<4).map { _ in try TestClient(server.port) }
                for client in clients {
                    try client.get("/")
                    #expect(try client.readResponse().status == 200)
                }
                let waiting = try (0..<4).map { _ in try TestClient(server.port) }
                for client in waiting { try client.get("/") }
                clients.removeAll()
                for client in waiting { #expect(try client.readResponse().status == 200) }
            }
        }
    }

    @Test("connections past the limit of one address are closed")
    func addressLimit() async throws {
        try await TestServer.run {
            $0.limits.connectionsPerAddress = 3
        } handler: {
            Self.ok($0)
        } body: { server in
            try await blocking {
                for _ in 0..<3 {
                    let clients = try (0..<3).map { _ in try TestClient(server.port) }
                    for client in clients {
                        try client.get("/")
                        #expect(try client.readResponse().status == 200)
                    }
                    let more = try TestClient(server.port)
                    #expect(try more.isClosedByServer())
                    for client in clients {
                        try client.get("/", "Connection: close\r\n")
                        _ = try client.readResponse()
                        #expect(try client.isClosedByServer())
                    }
                }
            }
        }
    }

    @Test("a hundred slow headers do not hold up anybody")
    func slowloris() async throws {
        try await TestServer.run(handler: Self.ok) { server in
            try await blocking {
                let slow = try (0..<100).map { _ in try TestClient(server.port) }
                let client = try TestClient(server.port)
                for round in 0..<20 {
                    for one in slow { try one.send(round == 0 ? "GET / HTTP/1.1\r\nA: " : "x") }
                    try client.get("/")
                    #expect(try client.readResponse().status == 200)
                }
                // And they are served when they come to an end.
                for one in slow { try one.send("\r\nHost: t\r\n\r\n") }
                for one in slow { #expect(try one.readResponse().status == 200) }
            }
        }
    }
}

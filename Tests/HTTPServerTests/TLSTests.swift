import Glibc
import HTTPServer
import Runtime
import TestSupport
import Testing

/// What a command prints; `nil` when it fails.
private func shell(_ command: String) -> String? {
    guard let pipe = unsafe popen(command + " 2>/dev/null", "r") else { return nil }
    var text = ""
    var buffer = [CChar](repeating: 0, count: 4096)
    while unsafe fgets(&buffer, 4096, pipe) != nil {
        let line = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        text += String(decoding: line, as: UTF8.self)
    }
    return unsafe pclose(pipe) == 0 ? text : nil
}

/// A certificate of `name` that is its own issuer, and its key.
private func newPair(_ name: String) throws -> HTTPServer.TLS {
    let pair = try #require(
        shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                + "-subj /CN=\(name) -days 2 -keyout /dev/stdout -out /dev/stdout"))
    let cut = try #require(pair.firstRange(of: "-----BEGIN CERTIFICATE-----"))
    return HTTPServer.TLS(
        certificateChain: String(pair[cut.lowerBound...]),
        privateKey: String(pair[..<cut.lowerBound]))
}

/// Whose certificate a new connection is shown.
private func shownName(_ port: Int) -> String {
    shell(
        "openssl s_client -connect 127.0.0.1:\(port) </dev/null | openssl x509 -noout -subject")
        ?? ""
}

private let hasTools = shell("openssl version && curl --version") != nil

@Suite("TLS", .enabled(if: hasTools, "needs openssl and curl"))
struct TLSTests {
    @Test("requests and event streams over TLS, and a shutdown with one open")
    func roundTrip() async throws {
        let pair = try newPair("localhost")
        try await TestServer.run {
            $0.tls = pair
        } handler: { loop in
            let big = SharedBytes([UInt8](repeating: 0x62, count: 3_000_000))
            let shared = PreparedResponse(
                status: 200, headers: [], body: [.bytes([0x61]), .shared(big)])
            return { request in
                switch request.path {
                case "/big": return .prepared(shared)
                case "/task":
                    return .task { _ in
                        await loop.sleep(for: .milliseconds(5))
                        return .response(HTTPResponse(status: 200, body: Array("task".utf8)))
                    }
                case "/events", "/open":
                    let stream = EventStream()
                    stream.send(data: "one")
                    stream.send(EventChunk(data: [UInt8](repeating: 0x63, count: 500_000)))
                    if request.path == "/events" { stream.finish() }
                    return .stream(stream)
                default:
                    return .response(HTTPResponse(status: 200, body: Array("plain".utf8)))
                }
            }
        } body: { server in
            try await blocking {
                let curl = "curl -sk --max-time 10 https://127.0.0.1:\(server.port)"
                #expect(shell("\(curl)/") == "plain")
                #expect(shell("\(curl)/task") == "task")
                #expect(shell("\(curl)/big | wc -c")?.hasPrefix("3000001") == true)
                let events = try #require(shell("\(curl)/events"))
                #expect(events.hasPrefix("retry: 3000\n\ndata: one\n\ndata: ccc"))
                #expect(events.utf8.count == 500_000 + 13 + 11 + 8)
                #expect(shell("\(curl)/ \(curl)/task \(curl)/") != nil)
            }
            async let open = blocking {
                shell("curl -sk --max-time 10 https://127.0.0.1:\(server.port)/open | wc -c")
            }
            try await blocking {
                while server.metrics.sample("freshet_http_streams") != 1 {}
            }
            server.trigger.trigger()
            #expect(try await open?.hasPrefix("500032") == true)
        }
    }

    @Test("a new certificate is shown to new connections, and those that are open stay")
    func newCertificate() async throws {
        let old = try newPair("old.test")
        let new = try newPair("new.test")
        try await TestServer.run {
            $0.tls = old
        } handler: { loop in
            let open = EventFanOut(loop: loop)
            return { request in
                switch request.path {
                case "/tell":
                    open.broadcast(EventChunk(data: "told"))
                    return .response(HTTPResponse(status: 200))
                case "/events":
                    let stream = EventStream()
                    open.add(stream)
                    return .stream(stream)
                default:
                    return .response(HTTPResponse(status: 200, body: Array("plain".utf8)))
                }
            }
        } body: { server in
            func client() async throws -> ChildProcess {
                try await ChildProcess.start([
                    "openssl", "s_client", "-quiet", "-connect", "127.0.0.1:\(server.port)",
                ])
            }
            let get = "GET / HTTP/1.1\r\nHost: t\r\n\r\n"
            func answers(_ client: ChildProcess) -> Int {
                // Bodies end in no line's end: the next status line follows at once.
                client.lines().count { $0.contains("HTTP/1.1 200 OK") }
            }
            let (idle, stream) = (try await client(), try await client())
            idle.write(get)
            stream.write("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            try await eventually("both are answered") {
                answers(idle) == 1 && server.metrics.sample("freshet_http_streams") == 1
            }
            #expect(shownName(server.port).contains("old.test"))

            await #expect(throws: HTTPServerError.self) {
                try await server.server.replaceCertificate(
                    HTTPServer.TLS(
                        certificateChain: new.certificateChain, privateKey: old.privateKey))
            }
            #expect(shownName(server.port).contains("old.test"))
            for _ in 0..<3 { try await server.server.replaceCertificate(new) }
            #expect(shownName(server.port).contains("new.test"))

            idle.write(get)
            try await eventually("the connection is as good as before") { answers(idle) == 2 }
            #expect(idle.exit == nil && stream.exit == nil)
            #expect(shell("curl -sk https://127.0.0.1:\(server.port)/tell") != nil)
            try await stream.waitForLine(containing: "data: told")
            await idle.stop()
            await stream.stop()
            try await eventually("nothing is left of them") {
                server.metrics.sample("freshet_http_connections") == 0
            }
        }
    }

    @Test("a key that is none is an error that says so")
    func badKey() async throws {
        await #expect(throws: HTTPServerError.self) {
            try await TestServer.run {
                $0.tls = HTTPServer.TLS(certificateChain: "nothing", privateKey: "nothing")
            } handler: { _ in
                { _ in .response(HTTPResponse(status: 200)) }
            } body: { _ in
            }
        }
    }
}

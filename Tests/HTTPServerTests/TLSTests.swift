import Glibc
import HTTPServer
import Runtime
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

private let hasTools = shell("openssl version && curl --version") != nil

@Suite("TLS", .enabled(if: hasTools, "needs openssl and curl"))
struct TLSTests {
    @Test("requests and event streams over TLS, and a shutdown with one open")
    func roundTrip() async throws {
        let pair = try #require(
            shell(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                    + "-subj /CN=localhost -days 2 -keyout /dev/stdout -out /dev/stdout"))
        let mark = "-----BEGIN CERTIFICATE-----"
        let cut = try #require(pair.firstRange(of: mark))
        let key = String(pair[..<cut.lowerBound])
        let certificate = String(pair[cut.lowerBound...])
        try await TestServer.run {
            $0.tls = HTTPServer.TLS(certificateChain: certificate, privateKey: key)
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

import Glibc
import HTTPServer
import Runtime
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Event streams")
struct StreamTests {
    /// A server whose `/` joins a fan-out, whose `/tell?x` broadcasts x, and `/end` ends it.
    private static func hub(_ loop: EventLoop) -> (HTTPRequest) -> HTTPReply {
        let fanOut = EventFanOut(loop: loop)
        return { request in
            switch request.path {
            case "/tell":
                fanOut.broadcast(EventChunk(event: "told", id: "1", data: request.query ?? ""))
            case "/end": fanOut.finish()
            case "/count": break
            default:
                let stream = EventStream(headers: [("X-More", "1")], retry: .seconds(2))
                stream.send(event: "hello", data: "first")
                fanOut.add(stream)
                return .stream(stream)
            }
            return .response(HTTPResponse(status: 200, body: Array("\(fanOut.count)".utf8)))
        }
    }

    private static func open(_ port: Int, seconds: Int = 10) throws -> TestClient {
        let client = try TestClient(port, seconds: seconds)
        try client.get("/")
        return client
    }

    @Test("a stream has its header, its retry, its events, and an end")
    func events() async throws {
        try await TestServer.run(handler: Self.hub) { server in
            try await blocking {
                let client = try Self.open(server.port)
                let head = try client.readHead()
                #expect(head.status == 200)
                #expect(head.field("Content-Type") == "text/event-stream")
                #expect(head.field("Cache-Control") == "no-store")
                #expect(head.field("X-Accel-Buffering") == "no")
                #expect(head.field("X-More") == "1")
                #expect(head.field("Transfer-Encoding") == "chunked")
                #expect(head.field("X-Request-Id")?.utf8.count == 16)
                #expect(try client.readEvent() == "retry: 2000\n\n")
                #expect(try client.readEvent() == "event: hello\ndata: first\n\n")
                let other = try TestClient(server.port)
                for number in 0..<3 {
                    try other.get("/tell?\(number)")
                    #expect(try other.readResponse().text == "1")
                    #expect(
                        try client.readEvent() == "id: 1\nevent: told\ndata: \(number)\n\n")
                }
                try other.get("/end")
                _ = try other.readResponse()
                #expect(try client.readEvent() == "")
                #expect(try client.isClosedByServer())
                try other.get("/count")
                #expect(try other.readResponse().text == "0")
            }
        }
    }

    @Test("HTTP/1.0 gets a stream without chunks, HEAD only its header")
    func otherForms() async throws {
        try await TestServer.run(handler: Self.hub) { server in
            try await blocking {
                let old = try TestClient(server.port)
                try old.send("GET / HTTP/1.0\r\n\r\n")
                #expect(try old.readHead().field("Transfer-Encoding") == nil)
                #expect(try old.readLine() == "retry: 2000")
                _ = try old.readLine()
                #expect(try old.readLine() == "event: hello")
                let head = try TestClient(server.port)
                try head.get("/", method: "HEAD")
                let response = try head.readResponse(to: "HEAD")
                #expect(response.field("Content-Type") == "text/event-stream")
                try head.get("/end")
                #expect(try head.readResponse().status == 200)
            }
        }
    }

    @Test("data of several lines is several data fields, and no field can be injected")
    func encoding() {
        func text(_ chunk: EventChunk) -> String {
            String(decoding: chunk.bytes.bytes[chunk.start..<chunk.end], as: UTF8.self)
        }
        #expect(text(EventChunk(data: "a\nb\r\nc\rd")) == "data: a\ndata: b\ndata: c\ndata: d\n\n")
        #expect(text(EventChunk(data: "")) == "data: \n\n")
        #expect(text(EventChunk(data: "a\n")) == "data: a\ndata: \n\n")
        #expect(
            text(EventChunk(event: "a\nb", id: "1\r\n2", data: "x"))
                == "id: 12\nevent: ab\ndata: x\n\n")
        #expect(text(EventChunk(comment: "a\nb")) == ":ab\n\n")
        let chunk = EventChunk(data: String(repeating: "x", count: 300))
        let framed = String(decoding: chunk.bytes.bytes, as: UTF8.self)
        #expect(framed.hasPrefix("134\r\ndata: x") && framed.hasSuffix("x\n\n\r\n"))
    }

    @Test("1,000 clients are told in order, and those who went are let go")
    func thousand() async throws {
        ProcessLimits.raiseDescriptors()
        try await TestServer.run(handler: Self.hub) { server in
            try await blocking {
                var clients: [TestClient] = []
                for _ in 0..<1000 { clients.append(try Self.open(server.port, seconds: 30)) }
                for client in clients {
                    _ = try client.readHead()
                    _ = try client.readEvent()
                    _ = try client.readEvent()
                }
                let other = try TestClient(server.port)
                for number in 0..<3 {
                    try other.get("/tell?\(number)")
                    #expect(try other.readResponse().text == "1000")
                }
                for client in clients {
                    for number in 0..<3 {
                        #expect(try client.readEvent().contains("data: \(number)\n"))
                    }
                }
                clients.removeLast(600)
                var count = "1000"
                while count != "400" {
                    try other.get("/count")
                    count = try other.readResponse().text
                }
                #expect(server.metrics.sample("freshet_http_streams") == 400)
                try other.get("/end")
                _ = try other.readResponse()
                for client in clients { #expect(try client.readEvent() == "") }
            }
        }
    }

    @Test("a reader too slow is dropped at the cap, the others are not held up")
    func slowReader() async throws {
        try await TestServer.run {
            $0.limits.streamQueueBytes = 256 * 1024
        } handler: { loop in
            let fanOut = EventFanOut(loop: loop)
            let chunk = EventChunk(data: [UInt8](repeating: 0x78, count: 64 * 1024))
            return { request in
                if request.path == "/tell" {
                    fanOut.broadcast(chunk)
                    return .response(
                        HTTPResponse(status: 200, body: Array("\(fanOut.count)".utf8)))
                }
                let stream = EventStream()
                fanOut.add(stream)
                return .stream(stream)
            }
        } body: { server in
            try await blocking {
                let slow = try TestClient(server.port, receiveBuffer: 4096)
                let fast = try TestClient(server.port)
                for client in [slow, fast] {
                    try client.get("/")
                    _ = try client.readHead()
                    _ = try client.readEvent()
                }
                let other = try TestClient(server.port)
                var count = ""
                for _ in 0..<400 where count != "1" {
                    try other.get("/tell")
                    count = try other.readResponse().text
                    #expect(try fast.readEvent().utf8.count == 64 * 1024 + 8)
                }
                #expect(count == "1")
                #expect(
                    server.metrics.sample("freshet_http_streams_dropped_total") == 1)
            }
        }
    }

    @Test("one event larger than the cap reaches a reader that reads")
    func largeEvent() async throws {
        try await TestServer.run { _ in
            let chunk = EventChunk(data: [UInt8](repeating: 0x78, count: 20_000_000))
            return { _ in
                let stream = EventStream()
                stream.send(chunk)
                stream.finish()
                return .stream(stream)
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.get("/")
                _ = try client.readHead()
                _ = try client.readEvent()
                #expect(Int(try client.readLine(), radix: 16) == 20_000_008)
                try client.skip(20_000_008)
                _ = try client.readLine()
                #expect(try client.readEvent() == "")
            }
        }
    }

    @Test("idle streams get comments, one for each round, and not all at once")
    func heartbeat() async throws {
        try await TestServer.run {
            $0.limits.streamHeartbeat = .milliseconds(480)
        } handler: {
            Self.hub($0)
        } body: { server in
            try await blocking {
                let clients = try (0..<96).map { _ in try Self.open(server.port) }
                for client in clients {
                    _ = try client.readHead()
                    _ = try client.readEvent()
                    _ = try client.readEvent()
                }
                let start = EventLoop.monotonicNanoseconds()
                for _ in 0..<3 {
                    for client in clients { #expect(try client.readChunk() == ":\n\n") }
                }
                let time = EventLoop.monotonicNanoseconds() - start
                #expect(time > 800_000_000 && time < 15_000_000_000)
            }
        }
    }

    @Test("a shutdown ends streams properly")
    func shutdown() async throws {
        try await TestServer.run(handler: Self.hub) { server in
            try await blocking {
                let clients = try (0..<20).map { _ in try Self.open(server.port) }
                let idle = try TestClient(server.port)
                try idle.get("/count")
                _ = try idle.readResponse()
                for client in clients {
                    _ = try client.readHead()
                    _ = try client.readEvent()
                    _ = try client.readEvent()
                }
                server.trigger.trigger()
                for client in clients {
                    #expect(try client.readEvent() == "")
                    #expect(try client.isClosedByServer())
                }
                #expect(try idle.isClosedByServer())
            }
        }
    }

    @Test("streams past their limit are answered 503")
    func limit() async throws {
        try await TestServer.run {
            $0.limits.streams = 2
        } handler: {
            Self.hub($0)
        } body: { server in
            try await blocking {
                let first = try Self.open(server.port)
                let second = try Self.open(server.port)
                _ = try first.readHead()
                _ = try second.readHead()
                let third = try Self.open(server.port)
                let response = try third.readResponse()
                #expect(response.status == 503 && response.text.contains("too_many_streams"))
            }
        }
    }
}

import HTTPServer
import Runtime
import Synchronization
import Testing

@Suite("Requests that wait")
struct WaitingTests {
    @Test("a task answers on the loop's thread, with the request still readable")
    func task() async throws {
        try await TestServer.run { loop in
            { _ in
                .task { request in
                    await loop.sleep(for: .milliseconds(5))
                    let isOnLoop = loop.isCurrent
                    let field = request.header("X-Field") ?? "-"
                    return .response(
                        HTTPResponse(status: 200, body: Array("\(isOnLoop) \(field)".utf8)))
                }
            }
        } body: { server in
            try await blocking {
                let clients = try (0..<50).map { _ in try TestClient(server.port) }
                for _ in 0..<5 {
                    for (number, client) in clients.enumerated() {
                        try client.get("/", "X-Field: \(number)\r\n")
                    }
                    for (number, client) in clients.enumerated() {
                        #expect(try client.readResponse().text == "true \(number)")
                    }
                }
            }
        }
    }

    @Test("all who wait for one thing are answered in one turn, each once")
    func flight() async throws {
        try await TestServer.run { loop in
            let shared = PreparedResponse(
                status: 200, headers: [], body: [.bytes(Array("there".utf8))])
            var waiting: [HTTPExchange] = []
            return { request in
                if request.path == "/now" {
                    for exchange in waiting {
                        exchange.complete(.prepared(shared))
                        exchange.complete(.prepared(shared))
                    }
                    waiting = []
                    return .prepared(shared)
                }
                return .later { waiting.append($0) }
            }
        } body: { server in
            try await blocking {
                let clients = try (0..<200).map { _ in try TestClient(server.port) }
                for _ in 0..<3 {
                    for client in clients { try client.get("/wait") }
                    let trigger = try TestClient(server.port)
                    // They have all arrived when one that came after them is answered.
                    try trigger.get("/now")
                    _ = try trigger.readResponse()
                    try trigger.get("/now")
                    _ = try trigger.readResponse()
                    for client in clients { #expect(try client.readResponse().text == "there") }
                }
            }
        }
    }

    @Test("pipelined requests that wait are answered in their order")
    func pipelined() async throws {
        try await TestServer.run { loop in
            { _ in
                .task { request in
                    await loop.sleep(for: .milliseconds(1))
                    return .response(HTTPResponse(status: 200, body: Array(request.path.utf8)))
                }
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.send(
                    (0..<20).map { "GET /\($0) HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
                for number in 0..<20 { #expect(try client.readResponse().text == "/\(number)") }
            }
        }
    }

    @Test("a client that has sent all and said so still gets its answer")
    func halfClosed() async throws {
        try await TestServer.run { _ in
            { _ in .response(HTTPResponse(status: 200, body: Array("ok".utf8))) }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                try client.get("/")
                client.endSending()
                #expect(try client.readResponse().text == "ok")
            }
        }
    }

    @Test("a reply given at once needs no wait")
    func synchronous() async throws {
        try await TestServer.run { _ in
            { _ in .later { $0.complete(.response(HTTPResponse(status: 202))) } }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port)
                for _ in 0..<3 {
                    try client.get("/")
                    #expect(try client.readResponse().status == 202)
                }
            }
        }
    }

    @Test("a client that goes is noticed: its task is cancelled, its waiter told")
    func clientGone() async throws {
        let cancelled = Gate()
        let told = Gate()
        let started = Counter()
        try await TestServer.run { loop in
            { request in
                if request.path == "/task" {
                    return .task { _ in
                        started.increment()
                        await loop.sleep(for: .seconds(30))
                        if Task.isCancelled { cancelled.open() }
                        return .response(HTTPResponse(status: 200))
                    }
                }
                return .later { exchange in
                    started.increment()
                    exchange.onClientGone = {
                        #expect(!exchange.isOpen)
                        told.open()
                    }
                }
            }
        } body: { server in
            try await blocking {
                let first = try TestClient(server.port)
                let second = try TestClient(server.port)
                try first.get("/task")
                try second.get("/later")
                // Both are waiting; then their sockets close.
                while started.value != 2 {}
                withExtendedLifetime((first, second)) {}
            }
            await cancelled.wait()
            await told.wait()
        }
    }

    @Test("a shutdown lets a running request finish, and refuses new connections")
    func graceful() async throws {
        let release = Gate()
        let started = Gate()
        try await TestServer.run { _ in
            { request in
                .task { _ in
                    started.open()
                    await release.wait()
                    return .response(HTTPResponse(status: 200, body: Array("done".utf8)))
                }
            }
        } body: { server in
            async let answer = blocking {
                let client = try TestClient(server.port)
                try client.get("/")
                let response = try client.readResponse()
                return (response.text, response.field("Connection"), try client.isClosedByServer())
            }
            await started.wait()
            server.trigger.trigger()
            try await blocking {
                var isRefused = false
                while !isRefused {
                    do { _ = try TestClient(server.port) } catch { isRefused = true }
                }
            }
            release.open()
            let (text, connection, isClosed) = try await answer
            #expect(text == "done" && connection == "close" && isClosed)
        }
    }

    @Test("at the deadline of a shutdown those who still wait get 503, and nothing aborts")
    func deadline() async throws {
        let clients = try await responsesOfWaiters()
        for client in clients {
            #expect(client.status == 503)
            #expect(client.text.contains("\"code\":\"stopping\""))
        }
        #expect(clients.count == 40)
    }

    private func responsesOfWaiters() async throws -> [WireResponse] {
        let results = Mutex<[WireResponse]>([])
        try await TestServer.run {
            $0.shutdownTimeout = .milliseconds(200)
        } handler: { loop in
            { request in
                if request.path == "/task" {
                    return .task { _ in
                        await loop.sleep(for: .seconds(60))
                        return .response(HTTPResponse(status: 200))
                    }
                }
                return .later { _ in }
            }
        } body: { server in
            let responses = try await blocking {
                let clients = try (0..<40).map { _ in try TestClient(server.port) }
                for (number, client) in clients.enumerated() {
                    try client.get(number % 2 == 0 ? "/task" : "/later")
                }
                while server.metrics.sample("freshet_http_requests_total") != 40 {}
                server.trigger.trigger()
                return try clients.map { try $0.readResponse() }
            }
            results.withLock { $0 = responses }
        }
        return results.withLock { $0 }
    }
}

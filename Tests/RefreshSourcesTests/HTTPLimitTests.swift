import Codecs
import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("HTTP limits", .timeLimit(.minutes(1)))
struct HTTPLimitTests {
    private func http(
        _ url: String, _ change: (inout HTTPSource) -> Void = { _ in }
    ) throws -> any RefreshSource {
        var definition = HTTPSource(url: url)
        change(&definition)
        return try source(.http(definition))
    }

    @Test("compressed answers are decompressed", arguments: ["gzip", "deflate", "zstd"])
    func encodings(name: String) async throws {
        let encoding = try #require(Compression.Encoding(rawValue: name))
        let body = Array("[\"\(String(repeating: "payload ", count: 2000))\"]".utf8)
        let packed = try Compression.compress(body, encoding)
        let server = try TestServer { _, connection in
            connection.answer(200, packed, ["Content-Encoding: \(name)"])
        }
        let payload = try await http(server.url).run(context()).payload()
        #expect(payload.bytes == body)
        #expect(server.requests[0].fields["accept-encoding"]?.contains("gzip") == true)
    }

    @Test("progress of a compressed answer counts what travels, not what comes out")
    func compressedProgress() async throws {
        let body = Array("[\"\(String(repeating: "payload ", count: 90_000))\"]".utf8)
        let packed = try Compression.compress(body, .gzip)
        let server = try TestServer { _, connection in
            connection.answer(200, packed, ["Content-Encoding: gzip"])
        }
        let told = Recorder<Progress>()
        _ = try await http(server.url).run(context(report: { told.add($0) }))
        #expect(!told.values.isEmpty)
        for progress in told.values {
            #expect(progress.total == Double(packed.count))
            #expect(progress.done <= Double(packed.count))
        }
    }

    @Test("a bomb is refused by its ratio, long before max_bytes", arguments: ["gzip", "zstd"])
    func bomb(name: String) async throws {
        let encoding = try #require(Compression.Encoding(rawValue: name))
        let packed = try Compression.compress([UInt8](repeating: 32, count: 64 << 20), encoding)
        let server = try TestServer { _, connection in
            connection.answer(200, packed, ["Content-Encoding: \(name)"])
        }
        let error = try await failure(http(server.url), context())
        #expect(error.isPermanent)
        #expect(error.message.contains("400 times"))
    }

    @Test("max_bytes counts after decompression, and ends what never ends")
    func tooLarge() async throws {
        let packed = try Compression.compress(
            Array(("[" + (0..<20_000).map(String.init).joined(separator: ",") + "]").utf8), .gzip)
        let server = try TestServer { request, connection in
            if request.target == "/gzip" {
                connection.answer(200, packed, ["Content-Encoding: gzip"])
            } else {
                connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
                while connection.send([UInt8](repeating: 65, count: 65_536)) {}
            }
        }
        for path in ["/gzip", "/endless"] {
            let error = try await failure(
                http(server.url + path) { $0.maximumBytes = 100_000 }, context())
            #expect(error.isPermanent)
            #expect(error.message.contains("max_bytes"))
        }
        let whole = try await http(server.url + "/gzip") { $0.maximumBytes = 108_891 }
            .run(context()).payload()
        #expect(whole.facts.itemCount == 20_000)
    }

    @Test("endless headers are refused")
    func headers() async throws {
        let server = try TestServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X-Filler: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        #expect(try await failure(http(server.url), context()).message.contains("headers"))
    }

    @Test("timeout bounds a server that says nothing and one that drips")
    func timeouts() async throws {
        let server = try TestServer { request, connection in
            guard request.target == "/drip" else { return connection.waitForClose() }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while connection.send("x") { usleep(20_000) }
        }
        for path in ["/drip", "/silent"] {
            let begin = ContinuousClock.now
            let error = try await failure(
                http(server.url + path) { $0.timeout = .milliseconds(400) }, context())
            let took = ContinuousClock.now - begin
            #expect(!error.isPermanent)
            #expect(took > .milliseconds(350) && took < .seconds(20))
        }
    }

    @Test("cancelling ends a transfer within a second, whatever it waits for")
    func cancelling() async throws {
        let reached = Recorder<Bool>()
        let server = try TestServer { _, connection in
            reached.add(true)
            connection.waitForClose()
        }
        let run = try http(server.url)
        let job = try context()
        let isPrompt = try await shortest(below: .seconds(1)) {
            let count = reached.values.count
            let task = Task { try await run.run(job) }
            let isReached = try await eventually { reached.values.count > count }
            #expect(isReached)
            let begin = ContinuousClock.now
            task.cancel()
            await #expect(throws: SourceError.self) { try await task.value }
            return ContinuousClock.now - begin
        }
        #expect(isPrompt)
    }

    @Test("truncated and malformed answers fail the attempt")
    func malformed() async throws {
        let server = try TestServer { request, connection in
            switch request.target {
            case "/short": connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1]")
            case "/chunks":
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            case "/gzip":
                connection.answer(200, "plain", ["Content-Encoding: gzip"])
            case "/nothing": break
            case "/garbage": connection.send([UInt8](repeating: 0xFF, count: 5000))
            default: connection.send("HTTP/1.1 abc\r\n\r\n")
            }
        }
        for path in ["/short", "/chunks", "/gzip", "/nothing", "/garbage", "/status"] {
            let error = try await failure(http(server.url + path), context())
            #expect(!error.isUnreachable, "\(path)")
        }
    }
}

import Glibc
import HTTPServer
import Runtime
import Testing

@Suite("Large bodies", .serialized)
struct LargeBodyTests {
    private static func residentBytes() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard unsafe fgets(&line, 128, file) != nil else { return 0 }
        let text = String(
            decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }

    @Test("81 MB go to 20 slow readers from one copy")
    func slowReaders() async throws {
        let size = 81_000_000
        try await TestServer.run { _ in
            let payload = SharedBytes([UInt8](repeating: 0x61, count: size))
            let shared = PreparedResponse(
                status: 200, headers: [],
                body: [.bytes([0x5b]), .shared(payload), .bytes([0x5d])])
            return { _ in .prepared(shared) }
        } body: { server in
            try await blocking {
                let first = try TestClient(server.port)
                try first.get("/")
                #expect(try first.readHead().field("Content-Length") == "\(size + 2)")
                try first.skip(size + 2)
                let before = Self.residentBytes()
                let readers = try (0..<20).map { _ in
                    try TestClient(server.port, receiveBuffer: 256 * 1024)
                }
                for reader in readers { try reader.get("/") }
                for reader in readers { _ = try reader.readHead() }
                var most = 0
                for part in 0..<10 {
                    for reader in readers { try reader.skip(part < 9 ? size / 10 : size / 10 + 2) }
                    most = max(most, Self.residentBytes())
                }
                // What sockets buffer is the system's; a copy each would be 1.6 GB.
                #expect(most - before < 600_000_000, "grew by \(most - before)")
                try first.get("/")
                #expect(try first.readHead().status == 200)
            }
        }
    }

    @Test("a body outlives the response that a slow reader is still reading")
    func outlives() async throws {
        try await TestServer.run { _ in
            { _ in
                var bytes = [UInt8](repeating: 0, count: 10_000_000)
                for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index >> 12) }
                return .response(HTTPResponse(status: 200, body: bytes))
            }
        } body: { server in
            try await blocking {
                let clients = try (0..<4).map { _ in
                    try TestClient(server.port, receiveBuffer: 8192, seconds: 30)
                }
                for client in clients { try client.get("/") }
                for client in clients {
                    let body = try client.readResponse().body
                    #expect(body.count == 10_000_000)
                    var isRight = true
                    for index in stride(from: 0, to: body.count, by: 997)
                    where body[index] != UInt8(truncatingIfNeeded: index >> 12) { isRight = false }
                    #expect(isRight)
                }
            }
        }
    }

    @Test("an upload of the largest body arrives whole")
    func upload() async throws {
        try await TestServer.run {
            $0.limits.bodyBytes = 8_000_000
        } handler: { _ in
            { request in
                let sum = request.body.reduce(0) { ($0 &+ Int($1)) }
                return .response(
                    HTTPResponse(status: 200, body: Array("\(request.body.count) \(sum)".utf8)))
            }
        } body: { server in
            try await blocking {
                let client = try TestClient(server.port, seconds: 30)
                for _ in 0..<2 {
                    try client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 8000000\r\n\r\n")
                    try client.send([UInt8](repeating: 3, count: 8_000_000))
                    #expect(try client.readResponse().text == "8000000 24000000")
                }
            }
        }
    }
}

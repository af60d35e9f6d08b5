import FoundationEssentials
import HTTPServer
import Synchronization
import TestSupport
import Testing

/// The corpus against a running server: each is answered and closed, nothing behind it is run, nothing
/// is left of it.
@Suite("Malformed HTTP", .timeLimit(.minutes(2)))
struct MalformedTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"

    private final class Seen: Sendable {
        private let targets = Mutex<[String]>([])
        func note(_ target: String) { targets.withLock { $0.append(target) } }
        func takeSmuggled() -> Int {
            targets.withLock { targets in
                defer { targets = [] }
                return targets.count { $0.contains("smuggled") }
            }
        }
    }

    private static func serve(
        _ body: @escaping @Sendable (TestServer, Seen) throws -> Void
    ) async throws {
        let seen = Seen()
        try await TestServer.run {
            $0.limits.headerTimeout = .milliseconds(300)
            $0.limits.bodyTimeout = .milliseconds(300)
            $0.limits.idleTimeout = .milliseconds(300)
            $0.limits.bodyBytes = 100_000
        } handler: { _ in
            let shared = PreparedResponse(status: 200, headers: [], body: [.bytes([0x6f, 0x6b])])
            return { request in
                seen.note(request.target)
                return .prepared(shared)
            }
        } body: { server in
            try await blocking { try body(server, seen) }
            try await eventually("no socket is left") { Descriptors.sockets(of: server.port) == 0 }
        }
    }

    /// Sends `bytes`; the answers up to the end of the connection.
    private static func answers(
        _ bytes: [UInt8], after first: String? = nil, _ port: Int
    ) throws -> [WireResponse] {
        try end(of: try begin(bytes, after: first, port))
    }

    private static func begin(
        _ bytes: [UInt8], after first: String?, _ port: Int
    ) throws -> TestClient {
        let client = try TestClient(port, seconds: 8)
        if let first {
            try client.send(first)
            #expect(try client.readResponse().status == 200)
        }
        do { try client.send(bytes) } catch {
            // Refused before all of it was sent.
        }
        client.endSending()
        return client
    }

    private static func end(of client: TestClient) throws -> [WireResponse] {
        var answers: [WireResponse] = []
        while true {
            do {
                answers.append(try client.readResponse())
            } catch let error as ClientError where error.text.hasPrefix("recv") {
                // Reset is an end; silence is a hang.
                #expect(!error.text.hasSuffix(" 11"), "no end after \(answers.map(\.status))")
                return answers
            } catch {
                return answers
            }
        }
    }

    private static func expect(
        _ one: MalformedCase, _ answers: [WireResponse], isFirst: Bool
    ) {
        let place = isFirst ? "first" : "later"
        guard let answer = answers.first else {
            #expect(one.mayBeSilent, "\(one.name), \(place): closed without an answer")
            return
        }
        if answer.status == 200, one.isTakenLater, !isFirst { return }
        #expect(one.statuses.contains(answer.status), "\(one.name), \(place)")
        #expect(answers.count == 1, "\(one.name), \(place)")
        #expect(
            answer.field("Content-Type") == "application/problem+json",
            "\(one.name), \(place): \(answer.text)")
        let id = answer.field("X-Request-Id") ?? ""
        #expect(!id.isEmpty && answer.text.contains("\"request_id\":\"\(id)\""))
    }

    @Test("as the first request of a connection", arguments: [MalformedCorpus.all])
    func first(cases: [MalformedCase]) async throws {
        try await Self.serve { server, seen in
            for one in cases {
                let bytes = one.bytes + Array(Self.smuggled.utf8)
                Self.expect(one, try Self.answers(bytes, server.port), isFirst: true)
                #expect(seen.takeSmuggled() == 0, "\(one.name)")
            }
        }
    }

    @Test("as a later request, where another parser reads it", arguments: [MalformedCorpus.all])
    func later(cases: [MalformedCase]) async throws {
        try await Self.serve { server, seen in
            for one in cases {
                let bytes = one.bytes + Array(Self.smuggled.utf8)
                let answers = try Self.answers(bytes, after: Self.get, server.port)
                Self.expect(one, answers, isFirst: false)
                let isRun = seen.takeSmuggled() > 0
                #expect(!isRun || one.isTakenLater, "\(one.name)")
            }
        }
    }

    private static let get = "GET / HTTP/1.1\r\nHost: t\r\n\r\n"

    @Test("whole and in pieces, what is well-formed is taken, first and later")
    func sound() async throws {
        let sound = [
            "GET / HTTP/1.1\r\nHost: t\r\n\r\n", "GET / HTTP/1.1\r\nHost:t:80 \t\r\n\r\n",
            "GET / HTTP/1.1\r\nhOsT: [::1]:80\r\nA:\r\nB: \r\nC: x \r\nD:\ty\tz\t\r\nÅ-no: "
                .replacing(
                    "Å-no", with: "E") + "é\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", "GET http://T/a HTTP/1.1\r\nHost: t\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n003;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: t\r\n\((0..<98).map { "X\($0): a\r\n" }.joined())\r\n",
        ]
        try await Self.serve { server, _ in
            for text in sound {
                let client = try TestClient(server.port)
                for round in 0..<4 {
                    if round < 3 {
                        try client.send(text)
                    } else {
                        let bytes = Array(text.utf8)
                        for start in stride(from: 0, to: bytes.count, by: 7) {
                            try client.send(Array(bytes[start..<min(start + 7, bytes.count)]))
                        }
                    }
                    let status = try client.readResponse().status
                    #expect(status == 200, "\(round): \(text)")
                    if status != 200 { break }
                }
            }
        }
    }

    @Test("the size of a chunk that does not fit into memory does not keep the server busy")
    func endlessChunkSize() async throws {
        // No deadline helps here: it must be noticed.
        try await TestServer.run { _ in
            { _ in .response(HTTPResponse(status: 200)) }
        } body: { server in
            try await blocking {
                for filler in [
                    "3;" + String(repeating: "a", count: 40_000),
                    "0\r\nA: " + String(repeating: "a", count: 40_000),
                ] {
                    let client = try TestClient(server.port, seconds: 5)
                    try client.send(
                        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + filler)
                    let status = try client.readResponse().status
                    #expect([400, 413, 431].contains(status))
                }
            }
        }
    }

    @Test("two thousand mutations of all of it: each ends, none ends the server")
    func mutations() async throws {
        try await Self.serve { server, _ in
            var random = Generator(state: 20_261_121)
            let sound = [Self.get, "POST /a?b HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"]
            let seeds =
                MalformedCorpus.all.map(\.bytes).filter { $0.count < 2000 }
                + sound.map { Array($0.utf8) }
            for batch in 0..<10 {
                let clients = try (0..<200).map { _ in
                    var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
                    for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
                    return try Self.begin(
                        bytes, after: batch % 2 == 0 ? nil : Self.get, server.port)
                }
                for client in clients { _ = try Self.end(of: client) }
            }
            let client = try TestClient(server.port)
            try client.send(Self.get)
            #expect(try client.readResponse().status == 200)
        }
    }
}

/// One byte changed, added, taken away, a piece doubled, or the end cut off.
private func mutate(_ bytes: inout [UInt8], _ random: inout Generator) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let telling: [UInt8] = [0, 9, 10, 13, 32, 34, 44, 48, 58, 59, 127, 128, 255]
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[place] = telling[Int.random(in: 0..<telling.count, using: &random)]
    case 1: bytes.insert(telling[Int.random(in: 0..<telling.count, using: &random)], at: place)
    case 2: bytes.remove(at: place)
    case 3:
        let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
    default: bytes.removeSubrange(place...)
    }
}

/// The same numbers in every run (SplitMix64).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// This process' own descriptors.
enum Descriptors {
    /// Connections that a server on `port` still holds, whatever state they are in.
    static func sockets(of port: Int) -> Int {
        let hex = String(port, radix: 16, uppercase: true)
        let local = ":" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
        var inodes: Set<Substring> = []
        let table = FileManager.default.contents(atPath: "/proc/self/net/tcp") ?? Data()
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ")
            // 0A: the listening one.
            guard words.count > 9, words[1].hasSuffix(local), words[3] != "0A" else { continue }
            inodes.insert(words[9])
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.count { name in
            let link = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/fd/\(name)")
            guard let link, link.hasPrefix("socket:[") else { return false }
            return inodes.contains(link.dropFirst(8).dropLast())
        }
    }
}

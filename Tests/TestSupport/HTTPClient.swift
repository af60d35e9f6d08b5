internal import Glibc
internal import Synchronization

/// HTTP/1.1 as a user's program speaks it, over real sockets on 127.0.0.1: one request to a
/// connection, on a thread of its own, so that hundreds can wait at once.
package struct HTTPClient: Sendable {
    package struct Response: Sendable {
        package var status: Int
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package let port: Int
    /// Added to each request.
    package var headers: [String: String] = [:]

    package init(port: Int) { self.port = port }

    package func get(
        _ path: String, headers: [String: String] = [:], deadline: Duration = .seconds(20)
    ) async throws -> Response {
        try await send("GET", path, headers: headers, deadline: deadline)
    }

    package func post(
        _ path: String, body: String = "", deadline: Duration = .seconds(20)
    ) async throws -> Response {
        try await send("POST", path, body: body, deadline: deadline)
    }

    package func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String = "",
        deadline: Duration = .seconds(20)
    ) async throws -> Response {
        let text = request(method, path, headers, body)
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            BackgroundThread.start {
                continuation.resume(
                    with: Result {
                        let socket = try ClientSocket(port: port, deadline: deadline)
                        try socket.write(text)
                        return try Self.parse(try socket.readToEnd())
                    })
            }
        }
    }

    /// The lines of an event stream as they come, to its end or until `EventLines.close`.
    package func stream(_ path: String, headers: [String: String] = [:]) throws -> EventLines {
        let socket = try ClientSocket(port: port, deadline: .seconds(60))
        try socket.write(request("GET", path, headers, ""))
        return EventLines(socket)
    }

    private func request(
        _ method: String, _ path: String, _ headers: [String: String], _ body: String
    ) -> String {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in self.headers.merging(headers, uniquingKeysWith: { $1 }) {
            text += "\(name): \(value)\r\n"
        }
        if !body.isEmpty {
            text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
        }
        return text + "\r\n" + body
    }

    private static func parse(_ bytes: [UInt8]) throws -> Response {
        guard let end = bytes.firstRange(of: "\r\n\r\n".utf8) else {
            throw Malformed(text: String(decoding: bytes.prefix(200), as: UTF8.self))
        }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(
            separator: "\r\n")
        guard let status = head.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw Malformed(text: head.joined(separator: "\n")) }
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        var body = Array(bytes[end.upperBound...])
        if headers["transfer-encoding"] == "chunked" { body = try unchunk(body) }
        return Response(status: status, headers: headers, body: body)
    }

    private static func unchunk(_ bytes: [UInt8]) throws -> [UInt8] {
        var rest = bytes[...]
        var body: [UInt8] = []
        while let line = rest.firstRange(of: "\r\n".utf8) {
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16)
            guard let size else { throw Malformed(text: "a chunk without a size") }
            if size == 0 { return body }
            rest = rest[line.upperBound...]
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        throw Malformed(text: "a body that breaks off")
    }

    package struct Malformed: Error, CustomStringConvertible {
        let text: String
        package var description: String { "not an HTTP response: \(text)" }
    }
}

/// The lines of one event stream.
package final class EventLines: Sendable {
    private let socket: ClientSocket
    package let lines: AsyncStream<String>

    fileprivate init(_ socket: ClientSocket) {
        self.socket = socket
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        BackgroundThread.start {
            var pending: [UInt8] = []
            while let bytes = socket.readSome() {
                pending += bytes
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    var line = pending[..<end]
                    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
                    continuation.yield(String(decoding: line, as: UTF8.self))
                    pending.removeSubrange(...end)
                }
            }
            continuation.finish()
        }
    }

    package func close() { socket.shutDown() }

    deinit { socket.shutDown() }
}

/// A blocking connection to 127.0.0.1; reads fail past the deadline instead of hanging a test.
private final class ClientSocket: Sendable {
    private let descriptor: Int32

    init(port: Int, deadline: Duration) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        var limit = timeval()
        limit.tv_sec = Int(deadline.components.seconds)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, size)
            }
        }
        // The descriptor is closed by deinit, which runs for what throws here too.
        guard status == 0 else { throw SystemFailure("connect to port \(port)") }
    }

    deinit { close(descriptor) }

    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SystemFailure("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// What comes next; `nil` at the end, on an error or past the deadline.
    func readSome() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
        }
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = readSome() { bytes += more }
        return bytes
    }
}

import Glibc

struct ClientError: Error {
    let text: String
}

/// A response as it came over the wire.
struct WireResponse: Sendable {
    var status = 0
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A blocking client over one socket, with a deadline on every call.
final class TestClient {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(
        _ port: Int, receiveBuffer: Int32? = nil, seconds: Int = 10, host: String = "127.0.0.1"
    ) throws {
        let isSix = host.contains(":")
        descriptor = socket(
            isSix ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        guard descriptor >= 0 else { throw ClientError(text: "socket: \(errno)") }
        if var size = receiveBuffer {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var result: Int32 = -1
        if isSix {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            unsafe inet_pton(AF_INET6, host, &address.sin6_addr)
            result = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(
                        descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            unsafe inet_pton(AF_INET, host, &address.sin_addr)
            result = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(
                        descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        // The descriptor is closed by `deinit`, which runs for what is initialized so far.
        guard result == 0 else { throw ClientError(text: "connect: \(errno)") }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientError(text: "send: \(errno)") }
            offset += count
        }
    }

    func get(_ target: String, _ fields: String = "", method: String = "GET") throws {
        try send("\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
    }

    /// Announces that nothing more will be sent.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads some bytes; false at the end of the stream.
    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        let count = unsafe chunk.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
        }
        if count < 0 { throw ClientError(text: "recv: \(errno)") }
        buffer.append(contentsOf: chunk[..<count])
        return count > 0
    }

    func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0a) {
                var line = buffer[..<end]
                if line.last == 0x0d { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                buffer.removeSubrange(...end)
                return text
            }
            guard try fill() else { throw ClientError(text: "ended in a line") }
        }
    }

    func read(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard try fill() else { throw ClientError(text: "ended after \(buffer.count)") }
        }
        defer { buffer.removeSubrange(..<count) }
        return Array(buffer[..<count])
    }

    /// Reads and forgets; faster than keeping it.
    func skip(_ count: Int, upTo step: Int = 256 * 1024) throws {
        var left = count - min(buffer.count, count)
        buffer.removeFirst(min(buffer.count, count))
        var chunk = [UInt8](repeating: 0, count: step)
        while left > 0 {
            let got = unsafe chunk.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, min($0.count, left), 0)
            }
            guard got > 0 else { throw ClientError(text: "ended with \(left) to come") }
            left -= got
        }
    }

    /// Reads what comes until the other side closes.
    func readToEnd() throws -> String {
        while try fill() {}
        defer { buffer = [] }
        return String(decoding: buffer, as: UTF8.self)
    }

    func isClosedByServer() throws -> Bool { try !fill() }

    func readHead() throws -> WireResponse {
        var response = WireResponse()
        let parts = try readLine().split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else {
            throw ClientError(text: "not a status line: \(parts)")
        }
        response.status = status
        while true {
            let line = try readLine()
            if line.isEmpty { return response }
            guard let colon = line.firstIndex(of: ":") else {
                throw ClientError(text: "not a field: \(line)")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            response.fields.append((String(line[..<colon]), String(value)))
        }
    }

    /// - Parameter method: A response to HEAD has no body.
    func readResponse(to method: String = "GET") throws -> WireResponse {
        var response = try readHead()
        if method == "HEAD" || response.status == 204 || response.status == 304 { return response }
        guard let length = response.field("Content-Length").flatMap({ Int($0) }) else {
            throw ClientError(text: "no length")
        }
        response.body = try read(length)
        return response
    }

    /// The next event of a stream, comments left out; empty at its end.
    func readEvent() throws -> String {
        while true {
            let chunk = try readChunk()
            if !chunk.hasPrefix(":") { return chunk }
        }
    }

    /// One chunk of a chunked body; empty at its end.
    func readChunk() throws -> String {
        guard let size = Int(try readLine(), radix: 16) else { throw ClientError(text: "no chunk") }
        let bytes = try read(size)
        _ = try readLine()
        return String(decoding: bytes, as: UTF8.self)
    }
}

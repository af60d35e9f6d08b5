import Codecs
import Glibc
import Synchronization
import Testing

/// An HTTP/1.1 server on a loopback address that does as its handler says, wrong things included.
final class TestServer: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        var fields: [String: String]
        var body: String
    }

    /// One accepted connection.
    struct Connection: Sendable {
        let descriptor: Int32

        /// Whether the client still takes bytes.
        @discardableResult
        func send(_ bytes: [UInt8]) -> Bool {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = unsafe rest.withUnsafeBytes {
                    unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        @discardableResult
        func send(_ text: String) -> Bool { send(Array(text.utf8)) }

        /// A whole answer.
        func answer(
            _ status: Int = 200, _ body: [UInt8] = [], type: String? = "application/json",
            _ fields: [String] = []
        ) {
            var head = "HTTP/1.1 \(status) Word\r\nConnection: close\r\n"
            head += "Content-Length: \(body.count)\r\n"
            if let type { head += "Content-Type: \(type)\r\n" }
            for field in fields { head += field + "\r\n" }
            send(head + "\r\n")
            send(body)
        }

        func answer(_ status: Int = 200, _ body: String, _ fields: [String] = []) {
            answer(status, Array(body.utf8), type: "application/json", fields)
        }

        func redirect(_ status: Int, _ target: String) {
            answer(status, [], type: nil, ["Location: \(target)"])
        }

        /// Waits until the client closes, at most 20 seconds.
        func waitForClose() {
            // POLLRDHUP, which Glibc hides.
            var entry = pollfd(fd: descriptor, events: Int16(0x2000), revents: 0)
            _ = unsafe poll(&entry, 1, 20_000)
        }
    }

    let port: Int
    let host: String
    private let listener: Int32
    private let log = Mutex<[Request]>([])
    private let handler: @Sendable (Request, Connection) -> Void

    /// What has been asked so far.
    var requests: [Request] { log.withLock { $0 } }
    var url: String { "http://\(host):\(port)" }

    init(
        host: String = "127.0.0.1",
        _ handler: @escaping @Sendable (Request, Connection) -> Void
    ) throws {
        self.host = host
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        try #require(unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1)
        let listener = listener
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
        let server = WeakServer(self)
        Self.thread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let current = server.value else { return }
                Self.thread { current.serve(client) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Int32) {
        defer { close(client) }
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard unsafe read(client, &byte, 1) == 1 else { return }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let first = lines[0].split(separator: " ")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] =
                String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        var body: [UInt8] = []
        let length = Int(fields["content-length"] ?? "") ?? 0
        while body.count < length, unsafe read(client, &byte, 1) == 1 { body.append(byte) }
        let request = Request(
            method: String(first[0]), target: String(first[1]), fields: fields,
            body: String(decoding: body, as: UTF8.self))
        log.withLock { $0.append(request) }
        handler(request, Connection(descriptor: client))
        shutdown(client, Int32(SHUT_WR))
        // What is unread would turn the close into a reset that destroys the answer.
        while unsafe recv(client, &byte, 1, Int32(MSG_DONTWAIT)) > 0 {}
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(body))
        _ = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }
}

private final class WeakServer: @unchecked Sendable {
    // @unchecked: weak references are atomic; the compiler wants a let.
    private(set) weak var value: TestServer?
    init(_ value: TestServer) { self.value = value }
}

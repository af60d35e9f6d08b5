internal import CMicrohttpd
internal import Runtime

/// A request and the answer it waits for. On the loop's thread only.
@safe
package final class HTTPExchange {
    /// Called once on the loop when the client goes before it is answered; set by who waits.
    package var onClientGone: (() -> Void)? {
        get { whenGone }
        set { whenGone = newValue }
    }

    /// Fields that this answer has beyond the reply's own, whichever reply it is and whoever else gets
    /// the same one.
    package var addedFields: [HTTPField] = []

    /// Whether a reply can still be given: none was, and the client is there.
    package var isOpen: Bool { isUnanswered }

    // Private, so that the compiler sees that no two accesses overlap and does not check it each time.
    private var whenGone: (() -> Void)?
    private var isUnanswered = true

    package var request: HTTPRequest { HTTPRequest(exchange: self) }

    private(set) var method = HTTPMethod.get
    private(set) var target = ""
    private(set) var receivedAt: UInt64 = 0
    private var names = NameLengths()
    private(set) var isVersion10 = false
    private(set) var id = RequestID.fresh(0)
    private(set) var body: [UInt8] = []
    private let connection: Connection
    /// False when the request is over: nothing may be read from libmicrohttpd's memory any more.
    private var isLive = true
    private var pending: HTTPReply?

    init(target: String, on connection: Connection) {
        self.target = target
        self.connection = connection
    }

    var requestID: String { id.text }
    var remoteAddress: String { connection.remoteAddress }

    var path: String {
        let bytes = target.utf8
        var start = bytes.startIndex
        if let first = bytes.first, first != UInt8(ascii: "/") {
            start = Self.pathStart(target)
        }
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        if start == bytes.startIndex && end == bytes.endIndex { return target }
        return start == end ? "/" : String(target[start..<end])
    }

    /// `http://host/path` must be taken too (RFC 9112, section 3.2.2).
    private static func pathStart(_ target: String) -> String.Index {
        let bytes = target.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[colon...].starts(with: "://".utf8)
        else { return bytes.startIndex }
        let authority = bytes.index(colon, offsetBy: 3)
        return bytes[authority...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? bytes.endIndex
    }

    var query: String? {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return String(target[target.utf8.index(after: mark)...])
    }

    // MARK: filled in by the server

    /// The header is complete.
    func begin(
        _ method: HTTPMethod, isVersion10: Bool, id: RequestID, names: NameLengths, at now: UInt64
    ) {
        self.names = names
        self.method = method
        self.isVersion10 = isVersion10
        self.id = id
        receivedAt = now
    }

    func reserveBody(_ count: Int) { body.reserveCapacity(count) }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        unsafe body.append(contentsOf: bytes)
    }

    /// Makes it ready for the next request of the same connection, when nobody else keeps it.
    func reuse(target: String) {
        self.target = target
        isLive = true
        isUnanswered = true
        if !body.isEmpty { body = [] }
        if !addedFields.isEmpty { addedFields = [] }
    }

    /// Nothing can be read or answered any more.
    func end() {
        isLive = false
        clientGone()
        if pending != nil { pending = nil }
    }

    /// The client went before an answer was given.
    func clientGone() {
        guard isUnanswered else { return }
        isUnanswered = false
        let tell = whenGone
        whenGone = nil
        tell?()
    }

    /// Nobody waits for the handler's reply any more; the client gets this one.
    func fail(with reply: HTTPReply) {
        guard isUnanswered else { return }
        clientGone()
        pending = reply
    }

    func takePending() -> HTTPReply? {
        let reply = pending
        if reply != nil { pending = nil }
        return reply
    }

    /// A reply given by the handler itself.
    func answered() {
        isUnanswered = false
        if whenGone != nil { whenGone = nil }
    }

    // MARK: replies

    /// Answers a request that was put off with `.later`. On the loop; the answers of one turn leave
    /// together. Does nothing when the client has gone or an answer was given.
    package func complete(_ reply: HTTPReply) {
        guard isUnanswered, isLive else {
            if case .stream(let stream) = reply { stream.close() }
            return
        }
        isUnanswered = false
        whenGone = nil
        pending = reply
        connection.replyArrived()
    }

    // MARK: header fields

    func header(_ name: String) -> String? {
        guard isLive, names.mayHold(name) else { return nil }
        var name = name
        return name.withUTF8 { name in
            var value: UnsafePointer<CChar>?
            var length = 0
            let found = unsafe name.withMemoryRebound(to: CChar.self) { name in
                unsafe MHD_lookup_connection_value_n(
                    connection.handle, .HEADER_KIND, name.baseAddress, name.count, &value,
                    &length)
            }
            guard found == .YES, let value = unsafe value else { return nil }
            let bytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
            return unsafe Self.text(Span(_unsafeBytes: bytes))
        }
    }

    func headers(named name: String) -> [String] {
        guard isLive, names.mayHold(name) else { return [] }
        let search = HeaderSearch(name)
        // The search outlives the call, which calls back before it returns.
        let context = unsafe Unmanaged.passUnretained(search).toOpaque()
        withExtendedLifetime(search) {
            _ = unsafe MHD_get_connection_values_n(
                connection.handle, .HEADER_KIND,
                { context, _, name, nameLength, value, valueLength in
                    guard let context = unsafe context, let name = unsafe name,
                        let value = unsafe value
                    else { return .YES }
                    let search = unsafe Unmanaged<HeaderSearch>.fromOpaque(context)
                        .takeUnretainedValue()
                    let nameBytes = unsafe UnsafeRawBufferPointer(start: name, count: nameLength)
                    let bytes = unsafe UnsafeRawBufferPointer(start: value, count: valueLength)
                    unsafe search.note(Span(_unsafeBytes: nameBytes), Span(_unsafeBytes: bytes))
                    return .YES
                }, context)
        }
        return search.values
    }

    /// A field's value: bytes that are not UTF-8 are replaced.
    static func text(_ bytes: Span<UInt8>) -> String {
        let trimmed = bytes.extracting(bytes.trimmedRange)
        return unsafe trimmed.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Gathers the values of one header field.
private final class HeaderSearch {
    private let name: [UInt8]
    private(set) var values: [String] = []

    init(_ name: String) { self.name = Array(name.lowercased().utf8) }

    func note(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard name.count == self.name.count else { return }
        for index in name.indices {
            var byte = name[index]
            if byte >= 0x41 && byte <= 0x5a { byte |= 0x20 }
            if byte != self.name[index] { return }
        }
        values.append(HTTPExchange.text(value))
    }
}

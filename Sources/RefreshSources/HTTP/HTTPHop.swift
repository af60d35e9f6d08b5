internal import CCurl
internal import Codecs
internal import FreshetModel
internal import Glibc
internal import Runtime

/// What a server answered.
struct HTTPResponse: Sendable {
    var status = 0
    var contentType: String?
    var contentLength: Int?
    /// The body is compressed on its way, and `contentLength` is that of what travels.
    var isCompressed = false
    var etag: String?
    var lastModified: String?
    /// Where a redirect leads, as the server says it.
    var location: String?
}

/// One request to one host, without following redirects. Belongs to one thread.
@safe
final class HTTPHop {
    /// All header fields of one response.
    private static let maximumHeaderBytes = 256 << 10
    /// Bytes a 2xx body may have grown to before its ratio to what came over the wire counts.
    private static let ratioFloor = Compression.ratioFloor

    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private var list: UnsafeMutablePointer<curl_slist>?

    private let request: HTTPRequest
    private let isConfiguredHost: Bool
    private var policy: AddressPolicy
    private let sink: (Span<UInt8>) throws(SourceError) -> Void
    private let progress: (Int, Int?) -> Void

    private(set) var response = HTTPResponse()
    private var headerBytes = 0
    private var bodyBytes = 0
    private var failure: SourceError?
    private var isBodyUnwanted = false
    private var isConnected = false
    private var errorBuffer: UnsafeMutablePointer<CChar>

    init(
        _ request: HTTPRequest, isConfiguredHost: Bool, policy: AddressPolicy,
        progress: @escaping (Int, Int?) -> Void,
        sink: @escaping (Span<UInt8>) throws(SourceError) -> Void
    ) throws(SourceError) {
        Self.startLibrary
        guard let easy = unsafe curl_easy_init(), let multi = unsafe curl_multi_init() else {
            throw SourceError("no memory for an HTTP request")
        }
        unsafe self.easy = easy
        unsafe self.multi = multi
        unsafe errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        self.request = request
        self.isConfiguredHost = isConfiguredHost
        self.policy = policy
        self.progress = progress
        self.sink = sink
    }

    deinit {
        unsafe curl_multi_remove_handle(multi, easy)
        unsafe curl_easy_cleanup(easy)
        unsafe curl_multi_cleanup(multi)
        unsafe curl_slist_free_all(list)
        unsafe errorBuffer.deallocate()
    }

    private static let startLibrary: Void = { _ = curl_global_init(Int(CURL_GLOBAL_ALL)) }()

    /// Makes the request.
    /// - Returns: The addresses that may be connected to on the next hop.
    func run(
        deadline: UInt64, _ cancellation: Cancellation
    ) throws(SourceError) -> AddressPolicy {
        try configure(deadline: deadline)
        unsafe curl_multi_add_handle(multi, easy)
        let waker = unsafe Waker(multi)
        cancellation.onCancel { waker.wake() }
        defer { cancellation.forget() }
        var running: Int32 = 1
        while running > 0 {
            try cancellation.check()
            guard unsafe curl_multi_perform(multi, &running) == CURLM_OK else {
                throw SourceError("libcurl failed")
            }
            guard running > 0 else { break }
            guard EventLoop.monotonicNanoseconds() < deadline + 1_000_000_000 else { break }
            unsafe curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        try conclude(CURLcode(rawValue: UInt32(max(0, unsafe freshet_curl_result(multi)))))
        return policy
    }

    // MARK: options

    private func configure(deadline: UInt64) throws(SourceError) {
        let now = EventLoop.monotonicNanoseconds()
        guard deadline > now else {
            throw SourceError("no answer from \(request.url.origin) in time")
        }
        set(CURLOPT_URL, request.url.text)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // Proxies of the environment would connect in our place, where no address is checked.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PATH_AS_IS, 0)
        set(CURLOPT_TIMEOUT_MS, Int((deadline - now) / 1_000_000) + 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(request.connectTimeout.milliseconds)))
        if let user = request.url.user { set(CURLOPT_USERNAME, user) }
        if let password = request.url.password { set(CURLOPT_PASSWORD, password) }
        unsafe freshet_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer)
        configureMethod()
        configureFields()
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe freshet_curl_set_callbacks(
            easy, context,
            { bytes, size, count, context in
                guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
                let hop = unsafe Unmanaged<HTTPHop>.fromOpaque(context).takeUnretainedValue()
                let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe hop.take(body: piece.bindMemory(to: UInt8.self).span)
                    ? size * count : 0
            },
            { bytes, size, count, context in
                guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
                let hop = unsafe Unmanaged<HTTPHop>.fromOpaque(context).takeUnretainedValue()
                let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                let line = unsafe String(decoding: piece, as: UTF8.self)
                return hop.take(line: line, bytes: size * count) ? size * count : 0
            },
            { context, _, address in
                guard let context = unsafe context, let address = unsafe address else { return -1 }
                let hop = unsafe Unmanaged<HTTPHop>.fromOpaque(context).takeUnretainedValue()
                var bytes = [UInt8](repeating: 0, count: 16)
                let length = unsafe Int(freshet_curl_address(address, &bytes))
                guard hop.allows(Address(Array(bytes.prefix(length)))) else { return -1 }
                return unsafe freshet_curl_open(address)
            })
    }

    private func configureMethod() {
        switch (request.method, request.body) {
        case ("GET", nil): set(CURLOPT_HTTPGET, 1)
        case ("HEAD", nil): set(CURLOPT_NOBODY, 1)
        case (let method, let body):
            if let body {
                unsafe freshet_curl_set_off(
                    easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
                unsafe freshet_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, body)
            } else if method == "POST" {
                unsafe freshet_curl_set_off(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
                set(CURLOPT_POST, 1)
            }
            set(CURLOPT_CUSTOMREQUEST, method)
        }
    }

    private func configureFields() {
        var lines = request.fields.map { field in
            // An empty value is written with a semicolon, or libcurl leaves the field out.
            field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
        }
        // No waiting for a 100 that many servers never send.
        lines.append("Expect:")
        if let type = request.bodyType,
            !request.fields.contains(where: { $0.name.lowercased() == "content-type" })
        {
            lines.append("Content-Type: \(type)")
        }
        for line in lines { unsafe list = curl_slist_append(list, line) }
        unsafe freshet_curl_set_pointer(easy, CURLOPT_HTTPHEADER, list)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        unsafe freshet_curl_set_long(easy, option, value)
    }

    private func set(_ option: CURLoption, _ text: String) {
        // libcurl copies strings.
        unsafe text.withCString { unsafe _ = freshet_curl_set_pointer(easy, option, $0) }
    }

    // MARK: what comes

    private func allows(_ address: Address) -> Bool {
        if policy.allows(address, isConfiguredHost: isConfiguredHost) { return true }
        failure = .permanent("\(request.url.origin) has a private address, refused on a redirect")
        return false
    }

    private func take(line: String, bytes: Int) -> Bool {
        isConnected = true
        headerBytes += bytes
        guard headerBytes <= Self.maximumHeaderBytes else {
            failure = .permanent("\(request.url.origin) sent more than 256 KiB of headers")
            return false
        }
        if line.hasPrefix("HTTP/") {
            // Also after an interim response, 1xx.
            response = HTTPResponse()
            response.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return true
        }
        guard let colon = line.firstIndex(of: ":") else { return true }
        let value = line[line.index(after: colon)...].trimmed
        switch line[..<colon].lowercased() {
        case "content-type": response.contentType = value
        case "content-length": response.contentLength = Int(value)
        case "content-encoding": response.isCompressed = value.lowercased() != "identity"
        case "location": response.location = value
        case "etag": response.etag = value
        case "last-modified": response.lastModified = value
        default: break
        }
        return true
    }

    private func take(body: Span<UInt8>) -> Bool {
        guard (200..<300).contains(response.status) else {
            // What an error page says is nobody's payload.
            isBodyUnwanted = true
            return false
        }
        bodyBytes += body.count
        guard bodyBytes <= request.maximumBytes else {
            failure = .permanent("the answer passed max_bytes, \(request.maximumBytes) bytes")
            return false
        }
        guard bodyBytes <= Self.ratioFloor || isRatioSane else {
            failure = .permanent(
                "the answer expands to more than \(Compression.usualMaximumRatio) times its size")
            return false
        }
        do throws(SourceError) {
            try sink(body)
        } catch {
            failure = error
            return false
        }
        progress(response.isCompressed ? receivedBytes : bodyBytes, response.contentLength)
        return true
    }

    private var isRatioSane: Bool {
        bodyBytes / Compression.usualMaximumRatio <= max(receivedBytes, 1)
    }

    /// Bytes of the body as they came, compressed or not.
    private var receivedBytes: Int {
        var wire: curl_off_t = 0
        unsafe freshet_curl_get_off(easy, CURLINFO_SIZE_DOWNLOAD_T, &wire)
        return Int(wire)
    }

    // MARK: the end

    private func conclude(_ code: CURLcode) throws(SourceError) {
        if let failure { throw failure }
        if code == CURLE_OK || isBodyUnwanted { return }
        let detail = unsafe String(cString: errorBuffer)
        let reason = unsafe detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR:
            throw SourceError("\(request.url.origin): \(reason)", isUnreachable: true)
        case CURLE_OPERATION_TIMEDOUT:
            throw SourceError("\(request.url.origin): \(reason)", isUnreachable: !isConnected)
        default: throw SourceError("\(request.url.origin): \(reason)")
        }
    }
}

/// Interrupts a thread that waits in `curl_multi_poll`; libcurl allows that from any thread.
@safe
private struct Waker: @unchecked Sendable {
    // @unchecked: curl_multi_wakeup is the one call that is safe from other threads, and
    // `Cancellation.forget` ends its use before the handle is freed.
    private let multi: UnsafeMutableRawPointer
    init(_ multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }
    func wake() { _ = unsafe curl_multi_wakeup(multi) }
}

extension Substring {
    /// Without white space around it.
    var trimmed: String {
        let front = drop { $0.isWhitespace }
        guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(front[...last])
    }
}

internal import FreshetModel

/// `api:`
struct APISection {
    var settings = APISettings()
    /// Where it is said where to listen.
    var listenPlace: Place?
    /// There are keys, though all of them, or how they are written, may be wrong, which has been
    /// reported.
    private(set) var hasKeys = false
    /// What the keys' `resources` say, to be compared with the resources there are.
    private(set) var patterns: [Located<String>] = []

    init() {}

    init(_ node: Node, _ report: Report) {
        let fields = Fields(node, of: "`api`", known: FieldNames.api, report)
        var api = APISettings()
        listenPlace = fields["listen"]?.value.place
        fields.read("listen", into: &api.listen) { node throws(ValueError) in
            let text = try Values.text(node)
            guard ListenAddress(text) != nil else {
                throw ValueError(
                    "expected HOST:PORT such as `127.0.0.1:8080`, found \(node.kind)")
            }
            return text
        }
        api.keys = keys(fields)
        if let entry = fields["rate_limit"] {
            api.rateLimit = Self.rateLimit(entry.value, report)
        }
        fields.read("open_metrics", into: &api.openMetrics, Values.bool)
        fields.read("memory_limit", into: &api.memoryLimit, Values.size(0...(1 << 40)))
        if let entry = fields["tls"] {
            let tls = Fields(entry.value, of: "`tls`", known: FieldNames.tls, report)
            let certificate = tls.require("certificate", Values.text)
            let key = tls.require("key", Values.text)
            if let certificate, let key {
                api.tls = TLSFiles(certificate: certificate.value, key: key.value)
            }
        }
        if let entry = fields["limits"] { Self.readLimits(entry.value, into: &api.limits, report) }
        settings = api
    }

    private static func readLimits(_ node: Node, into limits: inout APILimits, _ report: Report) {
        let fields = Fields(node, of: "`limits`", known: FieldNames.limits, report)
        let times = Values.duration(.milliseconds(100) ... .seconds(3600))
        fields.read("connections", into: &limits.connections, Values.integer(1...1_000_000))
        fields.read(
            "connections_per_address", intoOptional: &limits.connectionsPerAddress,
            Values.integer(0...1_000_000))
        fields.read("streams", into: &limits.streams, Values.integer(0...1_000_000))
        fields.read(
            "streams_per_client", intoOptional: &limits.streamsPerClient,
            Values.integer(0...1_000_000))
        fields.read("header_bytes", into: &limits.headerBytes, Values.size(1024...30 << 10))
        fields.read("header_timeout", into: &limits.headerTimeout, times)
        fields.read("body_timeout", into: &limits.bodyTimeout, times)
        fields.read("write_timeout", into: &limits.writeTimeout, times)
        fields.read("idle_timeout", into: &limits.idleTimeout, times)
    }

    private static func rateLimit(_ node: Node, _ report: Report) -> RateLimit? {
        let fields = Fields(node, of: "`rate_limit`", known: FieldNames.rateLimit, report)
        let burst = fields.read("burst", Values.integer(1...1_000_000))
        let rate = fields.require(
            "requests_per_second",
            Values.number("above 0 and at most 1,000,000") { $0 > 0 && $0 <= 1_000_000 })
        guard let rate else { return nil }
        return RateLimit(
            requestsPerSecond: rate.value,
            burst: burst?.value ?? max(1, Int(rate.value.rounded(.up))))
    }

    private mutating func keys(_ fields: Fields) -> [APIKey] {
        let report = fields.report
        let node = fields["keys"]?.value
        hasKeys =
            fields.isMisspelled("keys") || node.map { !$0.isEmptyList } ?? false
        guard let list = fields.list("keys", of: "keys", { $0 }) else { return [] }
        var keys: [APIKey] = []
        var secrets: [[UInt8]: Int] = [:]
        for (node, place) in list.map({ ($0.value, $0.place) }) {
            let fields = Fields(node, of: "a key", known: FieldNames.key, report)
            let name = fields.require("name", Self.name)
            let sha256 = fields.require("sha256", Self.sha256)
            let scopes = fields.list(
                "scopes", of: "`read`, `refresh`, `admin`", Values.word(Scope.self))
            if fields["scopes"]?.value.isEmptyList == true {
                report.error(
                    fields.place(of: "scopes"), "`scopes` is empty: the key could do nothing")
            }
            let resources = fields.list(
                "resources", of: "resource names, `*` for any characters", Self.wildcard)
            patterns += resources ?? []
            guard let name, let sha256 else { continue }
            if let line = secrets[sha256.value] {
                report.error(sha256.place, "this secret is also that of the key in line \(line)")
            }
            secrets[sha256.value] = place.line
            if keys.count(where: { $0.name == name.value }) >= 2 {
                report.error(
                    name.place,
                    "a third key `\(name.value)`: two live secrets of one name are for changing them"
                )
            }
            var key = APIKey(
                name: name.value, sha256: sha256.value,
                scopes: Set(scopes?.map(\.value) ?? [.read]))
            key.resources = resources?.map(\.value) ?? []
            keys.append(key)
        }
        return keys
    }

    private static func name(_ node: Node) throws(ValueError) -> String {
        let name = try Values.text(node)
        let isName = name.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "_.-".utf8.contains($0)
            }
        }
        guard isName, name.utf8.count <= 64 else {
            throw ValueError("the name of a key has 1 to 64 letters, digits, `_`, `.` and `-`")
        }
        return name
    }

    private static func sha256(_ node: Node) throws(ValueError) -> [UInt8] {
        let text = try Values.text(node)
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard text.utf8.count == 64, digits.count == 64 else {
            throw ValueError(
                "expected the SHA-256 of the secret, 64 hexadecimal digits; "
                    + "`freshet key new` prints it")
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func wildcard(_ node: Node) throws(ValueError) -> String {
        let text = try Values.text(node)
        let isName = text.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x61...0x7A: true
            default: "_.-*".utf8.contains($0)
            }
        }
        guard isName, text.utf8.count <= 64 else {
            throw ValueError("\(Fields.quoted(text)) is no name of a resource, also with `*`")
        }
        return text
    }
}

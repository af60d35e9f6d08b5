/// `[[user]:password@]host[:port][,host[:port]…][/segment…]`
struct URLAuthority {
    var credentials: RedisCredentials?
    var endpoints: [RedisEndpoint] = []
    /// Decoded segments after the hosts; a slash at the end adds none.
    var path: [String] = []

    init(parsing text: Substring, defaultPort: Int) throws(RedisURLError) {
        var rest = text
        // A password may hold an unencoded slash or at-sign in practice: the last @ divides.
        if let at = rest.lastIndex(of: "@") {
            credentials = try Self.credentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        for host in rest[..<slash].split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try Self.endpoint(host, defaultPort: defaultPort))
        }
        var segments = rest[slash...].dropFirst().split(
            separator: "/", omittingEmptySubsequences: false)
        if segments.last == "" { segments.removeLast() }
        for segment in segments { path.append(try URLText.decode(segment)) }
    }

    private static func credentials(_ text: Substring) throws(RedisURLError) -> RedisCredentials? {
        guard let colon = text.firstIndex(of: ":") else {
            if text.isEmpty { return nil }
            throw RedisURLError("a user without a password: write user:password@ or :password@")
        }
        let user = try URLText.decode(text[..<colon])
        let password = try URLText.decode(text[text.index(after: colon)...])
        guard !password.isEmpty else {
            if user.isEmpty { return nil }
            throw RedisURLError("the password of user \(user) is empty")
        }
        return RedisCredentials(user: user.isEmpty ? nil : user, password: password)
    }

    private static func endpoint(
        _ text: Substring, defaultPort: Int
    ) throws(RedisURLError) -> RedisEndpoint {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else {
                throw RedisURLError("an IPv6 address lacks its closing bracket: \(text)")
            }
            host = text[text.index(after: text.startIndex)..<bracket]
            let after = text[text.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw RedisURLError("after ] stands a colon and a port, not \(after)")
            }
            if !after.isEmpty { port = after.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(":") == false else {
                throw RedisURLError("an IPv6 address stands in brackets: [\(text)]")
            }
        }
        guard !host.isEmpty else { throw RedisURLError("a host is missing") }
        guard let port else { return .tcp(host: String(host), port: defaultPort) }
        guard port.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(port),
            (1...65_535).contains(number)
        else {
            throw RedisURLError("the port of \(host) is a number from 1 to 65535, not \"\(port)\"")
        }
        return .tcp(host: String(host), port: number)
    }
}

/// `name=text&…`, each field taken once; what nobody takes is an error.
struct URLQuery {
    private var fields: [(name: String, text: String)] = []

    init() {}

    init(parsing text: Substring) throws(RedisURLError) {
        for field in text.split(separator: "&") {
            guard let equals = field.firstIndex(of: "=") else {
                throw RedisURLError("the query field \(field) has no =")
            }
            let name = try URLText.decode(field[..<equals])
            guard !fields.contains(where: { $0.name == name }) else {
                throw RedisURLError("the query field \(name) is given twice")
            }
            fields.append((name, try URLText.decode(field[field.index(after: equals)...])))
        }
    }

    mutating func take(_ name: String) -> String? {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: index).text
    }

    func refuseRest() throws(RedisURLError) {
        guard let field = fields.first else { return }
        throw RedisURLError("unknown query field \(field.name); known are db, user and password")
    }
}

enum URLText {
    /// Decodes `%XX`; a plus stays a plus.
    static func decode(_ text: Substring) throws(RedisURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit),
                let low = rest.popFirst().flatMap(hexDigit)
            else {
                throw RedisURLError("a % must be followed by two hexadecimal digits (%25 is a %)")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw RedisURLError("percent-encoded text must be UTF-8 without zero bytes")
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

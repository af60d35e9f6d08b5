import Testing

@testable import Redis

@Suite("Redis URLs")
struct RedisURLTests {
    @Test(
        "what is written is understood",
        arguments: [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://127.0.0.1:7000/3", "redis://127.0.0.1:7000/3"),
            ("redis://:secret@h/0", "redis://:***@h:6379"),
            ("redis://ada:s%40c%2Fret@h:1/2", "redis://ada:***@h:1/2"),
            ("redis://[::1]:6380/", "redis://[::1]:6380"),
            ("redis://h?password=p&db=4", "redis://:***@h:6379/4"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("unix:///a%20b.sock?db=2&password=p%26q", "unix:///a b.sock?db=2&password=***"),
            (
                "redis+sentinel://:pw@h1,h2:26380/mymaster/1",
                "redis+sentinel://:***@h1:26379,h2:26380/mymaster/1"
            ),
            (
                "redis+sentinel://h1/m?sentinel_password=x",
                "redis+sentinel://h1:26379/m?sentinel_password=***"
            ),
            ("redis+cluster://h1:7000,h2:7001", "redis+cluster://h1:7000,h2:7001"),
        ])
    func understood(text: String, description: String) throws {
        #expect(try RedisURL(parsing: text).description == description)
    }

    @Test("user information is percent-decoded")
    func decoding() throws {
        let url = try RedisURL(parsing: "redis://a%3Ab:p%40%25@h")
        #expect(url.credentials == RedisCredentials(user: "a:b", password: "p@%"))
        let plain = try RedisURL(parsing: "redis://:p@ss/w?rd@h:1/2")
        #expect(plain.credentials == RedisCredentials(user: nil, password: "p@ss/w?rd"))
        #expect(plain.topology == .server(.tcp(host: "h", port: 1)))
        #expect(plain.database == 2)
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("localhost:6379", "begins with"),
            ("http://h", "unknown scheme http"),
            ("rediss://h", "TLS"),
            ("redis://", "host is missing"),
            ("redis://h:99999", "1 to 65535"),
            ("redis://h:x", "1 to 65535"),
            ("redis://h/one", "\"one\""),
            ("redis://h/1/2", "not a path"),
            ("redis://a,b", "one host"),
            ("redis://ada@h", "without a password"),
            ("redis://:%zz@h", "two hexadecimal digits"),
            ("redis://::1", "in brackets"),
            ("redis://h?colour=red", "unknown query field colour"),
            ("redis://:a@h?password=b", "given twice"),
            ("unix://relative.sock", "absolute path"),
            ("unix:///" + String(repeating: "x", count: 120), "107 bytes"),
            ("redis+sentinel://h1,h2", "master's name"),
            ("redis+sentinel://h1/m/1/2", "database number only"),
            ("redis+cluster://h1/3", "one database"),
        ])
    func wrong(text: String, part: String) throws {
        let error = #expect(throws: RedisURLError.self) { try RedisURL(parsing: text) }
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test("an error never shows the password")
    func secrets() {
        let error = #expect(throws: RedisURLError.self) {
            try RedisURL(parsing: "redis://ada:geheim@h:port/x")
        }
        #expect(error?.message.contains("geheim") == false)
    }
}

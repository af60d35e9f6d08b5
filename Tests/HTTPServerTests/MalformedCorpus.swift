/// Requests that are none, or that two readers could understand in two ways: a case or more for each
/// rule of RFC 9112 that a client can break.
struct MalformedCase: Sendable {
    /// The section of RFC 9112, or of RFC 9110 where it says so.
    let clause: String
    let what: String
    let bytes: [UInt8]
    /// The answers that are right.
    let statuses: Set<Int>
    /// libmicrohttpd, which reads the later requests of a connection, takes this one, and what it
    /// takes it for is harmless.
    let isTakenLater: Bool
    /// A body of which much is missing when the client ends; nobody waits for an answer.
    let mayBeSilent: Bool

    init(
        _ clause: String, _ what: String, _ text: String, _ statuses: Set<Int> = [400],
        takenLater: Bool = false,
        silent: Bool = false
    ) {
        self.init(
            clause, what, Array(text.utf8), statuses, takenLater: takenLater, silent: silent)
    }

    init(
        _ clause: String, _ what: String, _ bytes: [UInt8], _ statuses: Set<Int> = [400],
        takenLater: Bool = false,
        silent: Bool = false
    ) {
        self.clause = clause
        self.what = what
        self.bytes = bytes
        self.statuses = statuses
        isTakenLater = takenLater
        mayBeSilent = silent
    }

    var name: String { "\(clause) \(what)" }
}

enum MalformedCorpus {
    private static let host = "Host: t\r\n"

    private static func get(_ fields: String) -> String {
        "GET / HTTP/1.1\r\n\(host)\(fields)\r\n"
    }

    private static func post(_ fields: String, _ body: String) -> String {
        "POST / HTTP/1.1\r\n\(host)\(fields)\r\n\(body)"
    }

    private static func chunked(_ body: String) -> String {
        post("Transfer-Encoding: chunked\r\n", body)
    }

    static let all = lines + requestLines + fields + hosts + lengths + codings + chunks + sizes

    static let lines: [MalformedCase] = [
        .init("2.2", "bare LF after the request line", "GET / HTTP/1.1\n\(host)\r\n"),
        .init("2.2", "bare LF after a field", "GET / HTTP/1.1\r\nHost: t\n\r\n"),
        .init("2.2", "bare LF as the empty line", "GET / HTTP/1.1\r\nHost: t\r\n\n"),
        .init("2.2", "bare LF everywhere", "GET / HTTP/1.1\nHost: t\n\n"),
        .init("2.2", "bare CR in a value", get("A: b\rc\r\n")),
        .init("2.2", "bare CR hides a field", get("A: b\rContent-Length: 5\r\n")),
        .init("2.2", "bare CR in the request line", "GET /\r HTTP/1.1\r\n\(host)\r\n"),
        .init("2.2", "CR CR LF", "GET / HTTP/1.1\r\r\n\(host)\r\n"),
        .init("2.2", "a space before the first field", "GET / HTTP/1.1\r\n \(host)\r\n"),
        .init("2.2", "bytes that are no HTTP", Array(0x80...0xff) + [0x0d, 0x0a, 0x0d, 0x0a]),
        .init("2.2", "a TLS hello", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x0d, 0x0a, 0x0d, 0x0a]),
        .init(
            "2.2", "NULs, which to libmicrohttpd are an empty line",
            [UInt8](repeating: 0, count: 64) + [0x0d, 0x0a, 0x0d, 0x0a], takenLater: true),
    ]

    static let requestLines: [MalformedCase] = [
        .init("3", "no target", "GET HTTP/1.1\r\n\(host)\r\n"),
        .init("3", "no version", "GET /\r\n\(host)\r\n"),
        .init("3", "two spaces after the method", "GET  / HTTP/1.1\r\n\(host)\r\n"),
        .init("3", "two spaces before the version", "GET /  HTTP/1.1\r\n\(host)\r\n"),
        .init("3", "a tab for a space", "GET\t/ HTTP/1.1\r\n\(host)\r\n"),
        .init("3", "a space in the target", "GET /a b HTTP/1.1\r\n\(host)\r\n"),
        .init("3", "a space at the end", "GET / HTTP/1.1 \r\n\(host)\r\n", [400, 505]),
        .init("3", "one word", "GARBAGE\r\n\r\n"),
        .init("3.1", "a method that is no token", "G(T / HTTP/1.1\r\n\(host)\r\n"),
        .init("3.1", "NUL in the method", "G\u{0}T / HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2", "NUL in the target", "GET /\u{0}a HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2", "DEL in the target", "GET /\u{7f} HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2", "a target without a slash", "GET a HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.2", "another host in the target", "GET http://u/ HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.2", "no host in the target", "GET http:///a HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.2", "a user in the target", "GET http://a@t/ HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.2", "another scheme", "GET ftp://t/ HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.3", "an authority", "CONNECT t:443 HTTP/1.1\r\n\(host)\r\n"),
        .init("3.2.4", "an asterisk for GET", "GET * HTTP/1.1\r\n\(host)\r\n"),
        .init("2.3", "lower-case version", "GET / http/1.1\r\n\(host)\r\n", [400, 505]),
        .init("2.3", "no version of HTTP", "GET / HTTX/1.1\r\n\(host)\r\n", [400, 505]),
        .init("2.3", "HTTP/2.0", "GET / HTTP/2.0\r\n\(host)\r\n", [505]),
        .init("2.3", "HTTP/0.9", "GET / HTTP/0.9\r\n\(host)\r\n", [400, 505]),
        .init("2.3", "HTTP/1.1.1", "GET / HTTP/1.1.1\r\n\(host)\r\n", [400, 505]),
        .init("2.3", "HTTP/11", "GET / HTTP/11\r\n\(host)\r\n", [400, 505]),
        .init("3.3", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
    ]

    static let fields: [MalformedCase] = [
        .init("5", "no colon", get("nothing\r\n")),
        .init("5", "no name", get(": a\r\n")),
        .init("5.1", "a space before the colon", post("Content-Length : 3\r\n", "abc")),
        .init("5.1", "a tab before the colon", post("Content-Length\t: 3\r\n", "abc")),
        .init("5.1", "a space in a name", get("A B: c\r\n")),
        .init("5.1", "a name that is no token", get("A(B): c\r\n")),
        .init("5.1", "a name beyond ASCII", get("Å: c\r\n")),
        .init("5.2", "a folded value", get("A: b\r\n c\r\n")),
        .init("5.2", "a value folded by a tab", get("A: b\r\n\tc\r\n")),
        .init("5.2", "a folded length", post("Content-Length:\r\n 3\r\n", "abc")),
        .init("5.2", "a folded coding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        .init("9110 5.5", "NUL in a value", get("A: b\u{0}c\r\n")),
        .init("9110 5.5", "NUL in a name", get("A\u{0}: c\r\n")),
        .init("9110 5.5", "a control character in a value", get("A: \u{1}\r\n")),
        .init("9110 5.5", "DEL in a value", get("A: \u{7f}\r\n")),
    ]

    static let hosts: [MalformedCase] = [
        .init("3.2", "no Host", "GET / HTTP/1.1\r\n\r\n"),
        .init("3.2", "two Hosts", "GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n"),
        .init("3.2", "the same Host twice", "GET / HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n"),
        .init("3.2", "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        .init("3.2", "two hosts in one", "GET / HTTP/1.1\r\nHost: t, u\r\n\r\n"),
        .init("3.2", "a path in Host", "GET / HTTP/1.1\r\nHost: t/u\r\n\r\n"),
        .init("3.2", "a user in Host", "GET / HTTP/1.1\r\nHost: a@t\r\n\r\n"),
    ]

    static let lengths: [MalformedCase] = [
        .init("6.2", "two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")),
        .init("6.2", "a length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
        .init("6.3", "a list of lengths", post("Content-Length: 3, 3\r\n", "abc")),
        .init("6.3", "a negative length", post("Content-Length: -3\r\n", "abc")),
        .init("6.3", "a length with a sign", post("Content-Length: +3\r\n", "abc")),
        .init("6.3", "a hexadecimal length", post("Content-Length: 0x3\r\n", "abc")),
        .init("6.3", "a length with a word", post("Content-Length: 3 b\r\n", "abc")),
        .init("6.3", "a length with a fraction", post("Content-Length: 3.0\r\n", "abc")),
        .init("6.3", "an empty length", post("Content-Length:\r\n", "")),
        .init("6.3", "2^64", post("Content-Length: 18446744073709551616\r\n", "abc"), [400, 413]),
        .init("6.3", "30 digits", post("Content-Length: \(nines)\r\n", "abc"), [400, 413]),
        .init(
            "6.3", "length and coding",
            post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .init(
            "6.3", "coding and length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")),
    ]

    private static let nines = String(repeating: "9", count: 30)

    static let codings: [MalformedCase] =
        [
            "gzip", "identity", "chunked, gzip", "gzip, chunked", "chunked, chunked", "xchunked",
            "chunked;a=b", "\"chunked\"", ",", "",
        ].map {
            .init(
                "6.1", "Transfer-Encoding: \($0)", post("Transfer-Encoding: \($0)\r\n", "0\r\n\r\n")
            )
        } + [
            .init(
                "6.1", "two codings",
                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
            .init(
                "6.1", "a vertical tab in the coding",
                post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n")),
            .init(
                "6.1", "a coding in HTTP/1.0",
                "POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ]

    static let chunks: [MalformedCase] = [
        .init("7.1", "no number", chunked("zz\r\nabc\r\n0\r\n\r\n")),
        .init("7.1", "a sign", chunked("-3\r\nabc\r\n0\r\n\r\n")),
        .init("7.1", "a hexadecimal prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")),
        .init("7.1", "an empty size", chunked("\r\nabc\r\n0\r\n\r\n")),
        .init(
            "7.1", "a size past 64 bits", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"),
            [400, 413]),
        .init(
            "7.1", "sixteen Fs", chunked("FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), [400, 408, 413],
            silent: true),
        .init("7.1", "data longer than its size", chunked("3\r\nabcdef\r\n0\r\n\r\n")),
        .init("7.1", "no end of line after the data", chunked("3\r\nabc0\r\n\r\n")),
        .init(
            "7.1.1", "a size without an end", chunked("0" + String(repeating: "0", count: 20_000)),
            [400, 408, 413, 431]),
        .init(
            "7.1.1", "an extension without an end",
            chunked("3;" + String(repeating: "a", count: 40_000)), [400, 408, 413, 431]),
        .init(
            "7.1.2", "a trailer without an end",
            chunked("0\r\nA: " + String(repeating: "a", count: 40_000)), [400, 408, 413, 431]),
        .init(
            "7.1.2", "trailers without an end",
            chunked("0\r\n" + String(repeating: "A: b\r\n", count: 8_000)), [400, 408, 413, 431]),
    ]

    static let sizes: [MalformedCase] = [
        .init(
            "3", "a method without an end", String(repeating: "A", count: 40_000), [400, 414, 431]),
        .init(
            "3", "a target without an end", "GET /" + String(repeating: "a", count: 40_000), [414]),
        .init("5.4", "a name without an end", get(String(repeating: "a", count: 40_000)), [431]),
        .init(
            "5.4", "a value without an end", get("A: " + String(repeating: "a", count: 40_000)),
            [431]),
        .init("5.4", "101 fields", get((0...100).map { "X\($0): a\r\n" }.joined()), [431]),
        .init("5.4", "5,000 fields", get((0..<5000).map { "X\($0): a\r\n" }.joined()), [431]),
        .init(
            "5.4", "a cookie of 2,000 pairs",
            get("Cookie: \(String(repeating: "a=b;", count: 1200))\r\n"), [431]),
        .init("6", "a body past the limit", post("Content-Length: 1000000000\r\n", "abc"), [413]),
    ]
}

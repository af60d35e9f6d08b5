import Testing

@testable import HTTPServer

@Suite("Reading a head")
struct HeadInspectorTests {
    private static let inspector = HeadInspector(HTTPLimits())

    private static func verdict(_ text: String) -> HeadInspector.Verdict {
        let bytes = Array(text.utf8)
        return inspector.inspect(bytes.span)
    }

    private static func status(_ text: String) -> Int? {
        if case .refused(let refusal) = verdict(text) { return refusal.status }
        return nil
    }

    @Test("a head is complete at its empty line, whatever follows, and incomplete before")
    func everyPrefix() {
        let head = "GET /a?b=c HTTP/1.1\r\nHost: t\r\nX-Some: value \r\nEmpty:\r\n\r\n"
        let bytes = Array((head + "rest\r\n\r\n").utf8)
        for count in 0..<head.utf8.count {
            #expect(
                Self.inspector.inspect(bytes.span.extracting(0..<count)) == .incomplete,
                "after \(count)")
        }
        for count in head.utf8.count...bytes.count {
            #expect(
                Self.inspector.inspect(bytes.span.extracting(0..<count))
                    == .complete(head.utf8.count))
        }
    }

    @Test("empty lines before a request are forgiven, bare line feeds are not")
    func lineEnds() {
        #expect(Self.status("GET / HTTP/1.1\nHost: t\n\n") == 400)
        #expect(Self.status("GET / HTTP/1.1\r\nHost: t\n\r\n") == 400)
        #expect(Self.status("GET / HTTP/1.1\r\nHost: t\r\n\n") == 400)
        #expect(Self.status("\nGET / HTTP/1.1\r\nHost: t\r\n\r\n") == 400)
        #expect(Self.verdict("\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n") == .complete(31))
        #expect(Self.verdict("\r\n") == .incomplete)
        #expect(Self.verdict("GET / HTTP/1.0\r\n\r\n") == .complete(18))
    }

    @Test("methods, targets and versions")
    func requestLine() {
        #expect(Self.verdict("M-SEARCH * HTTP/1.1\r\nHost: t\r\n\r\n") == .complete(32))
        #expect(Self.status("get\t/ HTTP/1.1\r\n\r\n") == 400)
        #expect(Self.status("GET /\r\n\r\n") == 400)
        #expect(Self.status("GET / \r\n\r\n") == 400)
        #expect(Self.status("GET / HTTP/1.1 \r\n\r\n") == 400)
        #expect(Self.status("GET / http/1.1\r\n\r\n") == 400)
        #expect(Self.status("GET /\u{7f} HTTP/1.1\r\n\r\n") == 400)
        #expect(Self.status(" GET / HTTP/1.1\r\n\r\n") == 400)
        #expect(Self.status("GET / HTTP/3.0\r\n\r\n") == 505)
        #expect(Self.status("GET / HTTP/0.9\r\n\r\n") == 505)
    }

    @Test("the largest head that fits is taken, one byte more is not")
    func sizes() {
        let frame = "GET / HTTP/1.1\r\nHost: t\r\nX: \r\n\r\n"
        let room = HTTPLimits().headerBytes - frame.utf8.count
        let fitting = frame.replacing("X: ", with: "X: " + String(repeating: "v", count: room))
        #expect(Self.verdict(fitting) == .complete(HTTPLimits().headerBytes))
        #expect(Self.status(fitting.replacing("Host: t", with: "Host: tt")) == 431)
        // More bytes may lie in the socket than the head has.
        #expect(Self.verdict(fitting + "body") == .complete(HTTPLimits().headerBytes))
    }

    @Test("cookies count twice")
    func cookies() {
        let cookie = (0..<40).map { "name\($0)=value" }.joined(separator: "; ")
        #expect(Self.status("GET / HTTP/1.1\r\nHost: t\r\nCookie: \(cookie)\r\n\r\n") == nil)
        let much = String(repeating: "c", count: 5000)
        #expect(Self.status("GET / HTTP/1.1\r\nHost: t\r\nCookie: a=\(much)\r\n\r\n") == 431)
    }

    @Test("ids that are taken from a client")
    func requestIDs() {
        func isSane(_ text: String) -> Bool { RequestID.isSane(Array(text.utf8).span) }
        #expect(isSane("a") && isSane("A-z_0.9") && isSane(String(repeating: "x", count: 128)))
        #expect(!isSane("") && !isSane("a b") && !isSane("ä") && !isSane("a\n"))
        #expect(!isSane(String(repeating: "x", count: 129)))
        #expect(RequestID.fresh(0xabc).text == "0000000000000abc")
        #expect(RequestID.fresh(.max).text == "ffffffffffffffff")
    }

    @Test("a problem is JSON whatever its detail holds")
    func problem() {
        let problem = HTTPProblem(
            status: 400, code: "c", title: "T", detail: "a \"b\" \\ \n \u{1} ä", requestID: "r")
        #expect(
            String(decoding: problem.response.body, as: UTF8.self)
                == """
                {"type":"about:blank","title":"T","status":400,\
                "detail":"a \\"b\\" \\\\ \\u000a \\u0001 ä","code":"c","request_id":"r"}

                """)
    }
}

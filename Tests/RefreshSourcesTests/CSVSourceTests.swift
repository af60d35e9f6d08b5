import Codecs
import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("CSV source", .timeLimit(.minutes(1)))
struct CSVSourceTests {
    private func csv(
        _ folder: Folder, _ change: (inout CSVSource) -> Void = { _ in }
    ) throws -> any RefreshSource {
        var definition = CSVSource()
        definition.file = folder.path + "/data.csv"
        change(&definition)
        return try source(.csv(definition))
    }

    private func convert(
        _ text: String, _ change: (inout CSVSource) -> Void = { _ in }
    ) async throws -> Payload {
        let folder = try Folder()
        try folder.write("data.csv", text, modifiedAt: 1)
        return try await csv(folder, change).run(context()).payload()
    }

    private func refused(_ text: String) async throws -> String {
        let folder = try Folder()
        try folder.write("data.csv", text, modifiedAt: 1)
        return try await failure(csv(folder), context()).message
    }

    @Test("records become objects named by the first row")
    func records() async throws {
        let payload = try await convert("id,name\r\n1,Anna\r\n2,Bo\r\n")
        #expect(payload.text == "[{\"id\":1,\"name\":\"Anna\"},{\"id\":2,\"name\":\"Bo\"}]")
        #expect(payload.facts.itemCount == 2)
        #expect(payload.contentType == "application/json")
    }

    @Test("quotes, line ends and marks are those of RFC 4180 and of what is found in the wild")
    func syntax() async throws {
        for (text, json) in [
            ("a,b\n1,2", "[{\"a\":1,\"b\":2}]"),
            ("a,b\r1,2\r", "[{\"a\":1,\"b\":2}]"),
            ("\u{FEFF}a\nx\n", "[{\"a\":\"x\"}]"),
            ("\u{FEFF}\"a\"\nx\n", "[{\"a\":\"x\"}]"),
            ("a,b\n\"x,y\",\"l1\nl2\"\n", "[{\"a\":\"x,y\",\"b\":\"l1\\nl2\"}]"),
            ("a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", "[{\"a\":\"say \\\"hi\\\"\",\"b\":\"\\\"\"}]"),
            ("a\n\nx\n\r\n\ny\n\n", "[{\"a\":\"x\"},{\"a\":\"y\"}]"),
            ("a\n\"\"\n", "[{\"a\":null}]"),
            ("a,b\n,\n", "[{\"a\":null,\"b\":null}]"),
            ("a\nin\"ner\n", "[{\"a\":\"in\\\"ner\"}]"),
            ("a\n x \n", "[{\"a\":\" x \"}]"),
            ("a,b\n", "[]"), ("a", "[]"), ("a\n\"x\"", "[{\"a\":\"x\"}]"),
            ("\"a\n\"\"b\"\"\"\n1\n", "[{\"a\\n\\\"b\\\"\":1}]"), ("é\n😀\n", "[{\"é\":\"😀\"}]"),
            ("a,\n1,2\n", "[{\"a\":1,\"\":2}]"),
        ] {
            #expect(try await convert(text).text == json, "\(text)")
        }
    }

    @Test("types are inferred")
    func inference() async throws {
        let values: [(String, String)] = [
            ("1", "1"), ("-1.50", "-1.50"), ("1e5", "1e5"), ("007", "\"007\""), ("0", "0"),
            ("0.5", "0.5"), (".5", "\".5\""), ("1.", "\"1.\""), ("+1", "\"+1\""), ("-", "\"-\""),
            ("true", "true"), ("false", "false"), ("True", "\"True\""), ("tru", "\"tru\""),
            ("truely", "\"truely\""), ("null", "\"null\""), ("NaN", "\"NaN\""), ("", "null"),
            ("\"12\"", "12"), ("\"\"", "null"), ("1 ", "\"1 \""), ("0x10", "\"0x10\""),
            ("12345678901234567890", "12345678901234567890"), ("2025-11-28", "\"2025-11-28\""),
        ]
        for (field, json) in values {
            #expect(try await convert("a,b\n\(field),x\n").text == "[{\"a\":\(json),\"b\":\"x\"}]")
        }
    }

    @Test("or everything is text")
    func text() async throws {
        #expect(
            try await convert("a,b,c\n1,,true\n") { $0.types = .text }.text
                == "[{\"a\":\"1\",\"b\":\"\",\"c\":\"true\"}]")
    }

    @Test("another delimiter can be set, if it is one byte")
    func delimiter() async throws {
        #expect(
            try await convert("a;b\n1,5;2\n") { $0.delimiter = ";" }.text
                == "[{\"a\":\"1,5\",\"b\":2}]")
        #expect(try await convert("a\tb\n1\t2\n") { $0.delimiter = "\t" }.facts.itemCount == 1)
        for wrong: Character in ["é", "\"", "\n", "\r", "\r\n", "\0"] {
            var definition = CSVSource()
            definition.file = "x"
            definition.delimiter = wrong
            #expect(throws: SourceError.self) { try source(.csv(definition)) }
        }
    }

    @Test("what is malformed is told with its line")
    func malformed() async throws {
        #expect(try await refused("a,b\n1,2\n3\n").hasPrefix("line 3: 1 fields where 2 are named"))
        #expect(try await refused("a,b\r\n1,2\r\n3,4,5\r\n").hasPrefix("line 3: 3 fields"))
        #expect(try await refused("a\n\"x\ny\"\n\"open\n\n\n").hasPrefix("line 4: a quote"))
        #expect(try await refused("a\n\"x\"y\n").hasPrefix("line 2: something follows"))
        #expect(try await refused("a,b,a\n1,2,3\n").contains("two fields are named a"))
        #expect(try await refused("").contains("no row that names"))
        #expect(try await refused("\n\n").contains("no row that names"))
        let columns = Array(repeating: "x", count: 10_002).joined(separator: ",")
        #expect(try await refused(columns).contains("columns"))
        #expect(
            try await refused("\"" + String(repeating: "x", count: 17 << 20)).contains("record"))
    }

    @Test("bytes that are not UTF-8 are told with their line")
    func encoding() async throws {
        let folder = try Folder()
        for (bytes, message) in [
            ([0x61, 0x0A, 0x78, 0x0A, 0xE9, 0x0A], "line 3: bytes that are not UTF-8"),
            ([0xFF, 0xFE, 0x61, 0x00], "line 1: the CSV is UTF-16, not UTF-8"),
        ] as [([UInt8], String)] {
            let path = folder.path + "/data.csv"
            let file = unsafe try #require(fopen(path, "w"))
            unsafe fwrite(bytes, 1, bytes.count, file)
            unsafe fclose(file)
            #expect(try await failure(csv(folder), context()).message == message)
        }
    }

    @Test("a file that did not change is not read again")
    func unchanged() async throws {
        let folder = try Folder()
        try folder.write("data.csv", "a\n1\n", modifiedAt: 1000)
        let first = try await csv(folder).run(context()).payload()
        #expect(try await csv(folder).run(context(previous: kept(first))).isNotModified)
        let other = try csv(folder) { $0.types = .text }
        #expect(
            try await other.run(context(previous: kept(first))).payload().text == "[{\"a\":\"1\"}]")
        try folder.write("data.csv", "a\n2\n", modifiedAt: 1001)
        let second = try await csv(folder).run(context(previous: kept(first))).payload()
        #expect(second.text == "[{\"a\":2}]")
    }

    @Test("what is no file is refused without waiting for it")
    func noFile() async throws {
        let folder = try Folder()
        #expect(try await failure(csv(folder), context()).message.contains("No such file"))
        #expect(unsafe mkfifo(folder.path + "/data.csv", 0o644) == 0)
        #expect(try await failure(csv(folder), context()).message.contains("not a regular file"))
        for change: (inout CSVSource) -> Void in [
            { $0.file = nil }, { $0.url = "http://x/" }, { $0.file = "" },
        ] {
            #expect(throws: SourceError.self) { try csv(folder, change) }
        }
    }

    @Test("a URL is read as it comes, in pieces, compressed, conditionally")
    func url() async throws {
        let text = "id,text\n" + (0..<5000).map { "\($0),\"t \($0)\"\r\n" }.joined()
        let packed = try Compression.compress(Array(text.utf8), .gzip)
        let server = try TestServer { request, connection in
            if request.fields["if-none-match"] == "\"1\"" {
                connection.answer(304, [], type: nil)
            } else {
                connection.answer(
                    200, packed, type: "text/csv", ["Content-Encoding: gzip", "ETag: \"1\""])
            }
        }
        var definition = CSVSource()
        definition.url = server.url + "/{p}.csv"
        let run = try source(.csv(definition), parameters: ["p"])
        let payload = try await run.run(context(["p": "a b"])).payload()
        #expect(payload.facts.itemCount == 5000)
        #expect(payload.text.hasSuffix("{\"id\":4999,\"text\":\"t 4999\"}]"))
        #expect(server.requests[0].target == "/a%20b.csv")
        #expect(try await run.run(context(["p": "a b"], previous: kept(payload))).isNotModified)
    }

    @Test("it makes no difference where the pieces are cut")
    func pieces() async throws {
        let text = "\u{FEFF}a,b\r\n\"x\"\"y\",\"1\r\n2\"\r\n\r\n,\"\"\r\n-5,é\r\n"
        let expected = try await convert(text).text
        for size in 1...7 {
            let server = try TestServer { _, connection in
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                var rest = Array(text.utf8)[...]
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(size))
                    rest = rest.dropFirst(size)
                    connection.send("\(String(piece.count, radix: 16))\r\n")
                    connection.send(piece)
                    connection.send("\r\n")
                    usleep(500)
                }
                connection.send("0\r\n\r\n")
            }
            var definition = CSVSource()
            definition.url = server.url
            #expect(try await source(.csv(definition)).run(context()).payload().text == expected)
        }
    }
}

import Codecs
import Testing

@Suite("JSON pointer and reader")
struct JSONPointerTests {
    private func select(_ pointer: String, _ text: String) throws -> String? {
        let bytes = Array(text.utf8)
        guard let pointer = JSONPointer(pointer) else { return "malformed" }
        return try pointer.range(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test("the examples of RFC 6901 section 5 lead where it says")
    func examples() throws {
        let text = """
            { "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
              "i\\\\j": 5, "k\\"l": 6, " ": 7, "m~n": 8 }
            """
        #expect(try select("", text) == text)
        #expect(try select("/foo", text) == "[\"bar\", \"baz\"]")
        #expect(try select("/foo/0", text) == "\"bar\"")
        for (pointer, value) in [
            ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"), ("/g|h", "4"), ("/i\\j", "5"),
            ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
        ] {
            #expect(try select(pointer, text) == value, "\(pointer)")
        }
    }

    @Test("what is not there is nil")
    func absent() throws {
        let text = "{\"a\":[1,{\"b\":null}],\"c\":\"text\"}"
        for pointer in ["/x", "/a/2", "/a/-", "/a/01", "/a/-1", "/a/1/c", "/c/0", "/a/x", "/a//b"] {
            #expect(try select(pointer, text) == nil, "\(pointer)")
        }
        #expect(try select("/a/1/b", text) == "null")
    }

    @Test("malformed pointers are not made")
    func malformed() {
        for text in ["a", "a/b", "/~", "/~2", "/a~"] { #expect(JSONPointer(text) == nil) }
    }

    @Test("of a repeated name the last counts, and names are compared decoded")
    func names() throws {
        #expect(try select("/a", "{\"a\":1,\"a\":2}") == "2")
        #expect(try select("/é", "{\"\\u00e9\":1}") == "1")
        #expect(try select("/e\u{301}", "{\"é\":1}") == nil)
        #expect(try select("/😀", "{\"\\ud83d\\ude00\":1}") == "1")
    }

    @Test("text that is not JSON is an error")
    func broken() {
        #expect(throws: JSONError.self) { try select("/a", "{\"a\":1") }
    }

    @Test("a reader takes what it knows and skips the rest")
    func reader() throws {
        var reader = try JSONReader(
            Array(
                "{\"done\": 40, \"skip\": [{}], \"total\":1e2,\"message\":\"a\\tb\",\"ok\":true}"
                    .utf8
            ))
        var done: Int?
        var total: Double?
        var message: String?
        var isOK: Bool?
        try reader.forEachMember { name, reader throws(JSONError) in
            switch name {
            case "done": done = try reader.readInteger()
            case "total": total = try reader.readDouble()
            case "message": message = try reader.readString()
            case "ok": isOK = try reader.readBoolean()
            default: try reader.skip()
            }
        }
        #expect(done == 40)
        #expect(total == 100)
        #expect(message == "a\tb")
        #expect(isOK == true)
    }

    @Test("a value of another kind is nil and skipped")
    func kinds() throws {
        var reader = try JSONReader(Array("[1,\"a\",[2],{\"b\":3},1.5,null]".utf8))
        var texts: [String?] = []
        try reader.forEachElement { reader throws(JSONError) in
            texts.append(try reader.readString())
        }
        #expect(texts == [nil, "a", nil, nil, nil, nil])
    }
}

import Codecs
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    @Test(
        "valid texts are taken",
        arguments: [
            "0", "-0", "1.5e-7", "1E+2", "true", "false", "null", "\"\"", "[]", "{}",
            " \t\r\n[ 1 , 2 ] ", "{\"a\":{\"b\":[{},[],\"\"]},\"a\":1}",
            "\"\\u12aF\\n\\/\\\\\\\"\"",
            "\"\\ud800\"", "\"é 😀 \u{10FFFF}\"", "[[[[[]]]]]", "123456789012345678901234567890",
            "\"long enough to need more than one step of eight bytes\"", "1e999", "{\"\":0}",
        ])
    func valid(text: String) throws {
        _ = try JSONScanner.scan(Array(text.utf8))
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", " ", "01", "-", "+1", ".5", "1.", "1e", "1e+", "NaN", "Infinity", "-Infinity",
            "nul",
            "tru", "True", "'a'", "[1,]", "[,1]", "[1 2]", "[", "]", "{", "}", "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}", "{a:1}", "{1:1}", "[1}", "{\"a\":1]", "\"", "\"abc", "\"\\", "\"\\x\"",
            "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "1 2", "[] []",
            "// a\n1",
            "\u{FEFF}1", "\"abcdefghijk\u{1}mnop\"", "0x10", "{\"a\":1 \"b\":2}", "\u{A0}1",
        ])
    func invalid(text: String) {
        #expect(throws: JSONError.self) { try JSONScanner.scan(Array(text.utf8)) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xFF],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3],
            [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE2, 0x28, 0xA1], [0xC3, 0x28],
        ]
        for piece in bad {
            let text = [UInt8(ascii: "\"")] + piece + [UInt8(ascii: "\"")]
            #expect(throws: JSONError.self) { try JSONScanner.scan(text) }
            #expect(throws: JSONError.self) { try JSONScanner.scan(Array(text.dropLast())) }
        }
    }

    @Test("kind and number of elements are those of the outermost value")
    func summary() throws {
        func summary(_ text: String) throws -> JSONScanner.Summary {
            try JSONScanner.scan(Array(text.utf8))
        }
        #expect(try summary("[]").kind == .array)
        #expect(try summary("[]").elementCount == 0)
        #expect(try summary("[1]").elementCount == 1)
        #expect(try summary("[[1,2],{\"a\":[1,2,3]},\"x,y\"]").elementCount == 3)
        #expect(try summary("{\"a\":[1,2]}").kind == .object)
        #expect(try summary("{\"a\":[1,2]}").elementCount == nil)
        #expect(try summary("\"a\"").kind == .string)
        #expect(try summary("-1").kind == .number)
        #expect(try summary("true").kind == .boolean)
        #expect(try summary("null").kind == .null)
    }

    @Test("512 containers within each other are taken, one more is not")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONScanner.scan(nested(512))
        #expect(throws: JSONError.self) { try JSONScanner.scan(nested(513)) }
        #expect(throws: JSONError.self) {
            try JSONScanner.scan([UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        }
        let objects = String(repeating: "{\"a\":[", count: 256)
        let ends = String(repeating: "]}", count: 256)
        _ = try JSONScanner.scan(Array((objects + ends).utf8))
    }

    @Test("mutated texts never trap, and prefixes of a container are never whole")
    func mutations() {
        let text = Array(
            "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9é\"],\"b\":{\"c\":[[],{}]}}".utf8)
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONScanner.scan(Array(text.prefix(count))) }
        }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var mutated = text
                mutated[index] = byte
                _ = try? JSONScanner.scan(mutated)
            }
        }
    }

    @Test("a number is exactly the grammar's")
    func numbers() {
        for text in ["0", "-1", "1.50", "1e5", "12345"] {
            let isNumber = JSONScanner.isNumber(Array(text.utf8).span)
            #expect(isNumber, "\(text)")
        }
        for text in ["", "-", "007", "1.", ".1", "1e", " 1", "1 ", "0x1", "1,5", "+1", "NaN"] {
            let isNumber = JSONScanner.isNumber(Array(text.utf8).span)
            #expect(!isNumber, "\(text)")
        }
    }
}

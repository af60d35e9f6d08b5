import Codecs
import Testing

@Suite("JSON text")
struct JSONTextTests {
    @Test("containers, names and values get their commas")
    func structure() {
        var text = JSONText()
        text.object {
            $0.member("a", 1)
            $0.member("b", "x\"y")
            $0.name("c")
            $0.array {
                $0.value(true)
                $0.value(nil as String?)
                $0.object { _ in }
                $0.array { _ in }
                $0.value(1.5)
            }
            $0.name("d")
            $0.raw("[1,2]".utf8)
            $0.member("e", nil as Bool?)
        }
        #expect(
            text.string
                == "{\"a\":1,\"b\":\"x\\\"y\",\"c\":[true,null,{},[],1.5],\"d\":[1,2],\"e\":null}")
    }

    @Test("every string is escaped as RFC 8259 wants and reads back")
    func strings() throws {
        let samples = [
            "", "plain", "a\"b\\c", "tab\tnewline\nreturn\r", "\u{0}\u{1F}\u{7F}", "é😀\u{2028}",
            String(repeating: "abcdefg\n", count: 50), "ends with backslash\\",
        ]
        for sample in samples {
            var bytes: [UInt8] = []
            JSONText.append(sample, to: &bytes)
            var reader = try JSONReader(bytes)
            #expect(try reader.readString() == sample)
            var checked: [UInt8] = []
            let isUTF8 = JSONText.append(checking: Array(sample.utf8).span, to: &checked)
            #expect(isUTF8)
            #expect(checked == bytes)
        }
    }

    @Test("bytes that are not UTF-8 are told")
    func notUTF8() {
        var bytes: [UInt8] = []
        for wrong: [UInt8] in [[0x61, 0xFF], [0xC3]] {
            let isUTF8 = JSONText.append(checking: wrong.span, to: &bytes)
            #expect(!isUTF8)
        }
    }

    @Test("numbers are written shortest")
    func numbers() {
        func text(_ number: Double) -> String {
            var bytes: [UInt8] = []
            JSONText.append(number, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(text(93) == "93")
        #expect(text(-0.25) == "-0.25")
        #expect(text(1e300) == "1e+300")
        #expect(text(.nan) == "null")
        #expect(text(-.infinity) == "null")
        #expect(text(12.5) == "12.5")
        for number in [0, 7, 10, -1, -10, 123_456, Int.max, Int.min] {
            var bytes: [UInt8] = []
            JSONText.append(number, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == String(number))
        }
    }

    @Test("half a surrogate pair reads as the replacement character")
    func surrogates() throws {
        var reader = try JSONReader(Array("\"a\\ud800b\\udc00\\ud83d\\ude00\"".utf8))
        #expect(try reader.readString() == "a\u{FFFD}b\u{FFFD}😀")
    }
}

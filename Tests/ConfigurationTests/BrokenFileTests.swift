import Configuration
import FreshetModel
import Testing

/// A file with errors, and the errors as `line:column: message`.
struct BrokenFile: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var errors: [String]
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ errors: [String]) {
        self.name = name
        self.text = text
        self.errors = errors
    }
}

@Suite("Broken files")
struct BrokenFileTests {
    static let environment = ["HOST": "h", "SECRET": "s3cr3t"]

    @Test(
        "every error is told with its place",
        arguments: BrokenFile.yaml + BrokenFile.sections + BrokenFile.resources
            + BrokenFile.sources)
    func places(broken: BrokenFile) {
        do {
            let settings = try Configuration.parse(
                text: broken.text, file: "F", environment: Self.environment)
            Issue.record("taken: \(settings)")
        } catch {
            #expect(error.lines == broken.errors.map { "F:\($0)" })
            #expect(!error.description.contains("s3cr3t"))
        }
    }

    @Test("there are enough of them")
    func count() {
        let all = BrokenFile.yaml + BrokenFile.sections + BrokenFile.resources + BrokenFile.sources
        #expect(all.count >= 40)
        #expect(all.flatMap(\.errors).count >= 200)
    }

    @Test("bytes that are no text have a place")
    func noText() {
        let bytes = Array("worker:\n  # ø\n  concurrency: ".utf8) + [0xFF, 0xFE]
        #expect(throws: ConfigurationErrors.self) {
            try Configuration.check(bytes, file: "F", environment: [:])
        }
        do {
            _ = try Configuration.check(bytes, file: "F", environment: [:])
        } catch {
            #expect(error.lines == ["F:3:16: invalid leading UTF-8 octet"])
        }
    }

    @Test("a billion laughs are not laughed")
    func billionLaughs() {
        var text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for (previous, name) in zip("abcdefghi", "bcdefghij") {
            let aliases = [String](repeating: "*\(previous)", count: 9).joined(separator: ", ")
            text += "\(name): &\(name) [\(aliases)]\n"
        }
        let took = ContinuousClock().measure {
            #expect(errors(of: text).last?.contains("100000 values") == true)
        }
        #expect(took < .seconds(10))
    }

    @Test("large, long and deep files are refused in bounded time")
    func large() {
        let million = 1 << 20
        let texts = [
            String(repeating: "#", count: million + 1),
            String(repeating: "[", count: million),
            String(repeating: "{a: ", count: million / 4),
            String(repeating: "- ", count: million / 2),
            String(repeating: "? ", count: million / 2),
            "a: [" + String(repeating: "1,", count: million / 2 - 4) + "]",
            String(repeating: "x", count: million),
            "a: \"" + String(repeating: "\\n", count: million / 2 - 4) + "\"",
            String(repeating: "&a ", count: million / 3),
            String(repeating: "\n", count: million - 1) + "x",
        ]
        for text in texts {
            let took = ContinuousClock().measure {
                #expect(!errors(of: text).isEmpty)
            }
            #expect(took < .seconds(30), "\(text.prefix(8))")
        }
    }

    @Test("a file that cannot be read is one error")
    func unreadable() {
        do {
            _ = try Configuration.load(path: "/no/such.yaml", environment: [:])
            Issue.record("taken")
        } catch {
            #expect(
                error.lines == ["/no/such.yaml:1:1: cannot be read: there is no such file"])
        }
        do {
            _ = try Configuration.load(path: "/", environment: [:])
            Issue.record("taken")
        } catch {
            #expect(error.lines == ["/:1:1: cannot be read: it is a directory"])
        }
    }
}

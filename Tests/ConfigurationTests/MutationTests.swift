import Configuration
import FoundationEssentials
import FreshetModel
import Testing

/// Good files with random damage: no crash, and every error has a place inside of the file.
@Suite("Damaged files")
struct MutationTests {
    @Test("damage makes errors with places, never a crash", arguments: ExampleFileTests.files)
    func damage(name: String) throws {
        let path = "\(ExampleFileTests.folder)/\(name).yaml"
        let good = Array(try #require(FileManager.default.contents(atPath: path)))
        var generator = Generator(state: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        var right = 0
        for _ in 0..<250 {
            var bytes = good
            for _ in 0...Int.random(in: 0...4, using: &generator) {
                Self.damage(&bytes, &generator)
            }
            do {
                let file = try Configuration.check(
                    bytes, file: "F", environment: ExampleFileTests.environment)
                right += 1
                #expect(!file.summary.isEmpty)
            } catch {
                let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
                #expect(!error.errors.isEmpty)
                for one in error.errors {
                    #expect(one.place.line >= 1 && one.place.column >= 1)
                    #expect(one.place.line <= lines + 4)
                    #expect(!one.message.isEmpty && !one.message.contains("\n"))
                }
                #expect(error.errors.map(\.place) == error.errors.map(\.place).sorted())
            }
        }
        // Damage to a comment or a number is none; damage to everything else is.
        #expect(right < 250)
    }

    @Test("noise of YAML's own characters")
    func noise() {
        var generator = Generator(state: 99)
        let alphabet = Array("{}[]:,-?&*!|>'\"%@`#~ \n\t<$=ab1.\\\u{85}é".utf8)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            _ = try? Configuration.check(bytes, file: "F", environment: [:])
        }
    }

    private static let words: [String] = [
        "{", "}", "[", "]", ":", "- ", "\n", "  ", "\t", "&a ", "*a", "<<: ", "!!str ", "|", "#",
        "\"", "'", "${X}", "${", "$${", "{x}", "never", "always", "-1", "99999999999999999999",
        "1e999", "null", "~", "true", "\u{0}", "\u{FEFF}", "ø", "?", "---\n", "5m", "10MiB",
        "redis+sentinel://", "a.b.c", "refresh", "@daily", "* * * * *", "[a-z", "(?=x)",
    ]

    private static func damage(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let place = Int.random(in: 0..<max(1, bytes.count), using: &generator)
        switch Int.random(in: 0...5, using: &generator) {
        case 0: if place < bytes.count { bytes.remove(at: place) }
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        case 2:
            let word = words[Int.random(in: 0..<words.count, using: &generator)]
            bytes.insert(contentsOf: word.utf8, at: place)
        case 3:
            let end = min(bytes.count, place + Int.random(in: 0...40, using: &generator))
            let piece = Array(bytes[place..<end])
            bytes.insert(
                contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &generator))
        case 4:
            let end = min(bytes.count, place + Int.random(in: 0...40, using: &generator))
            bytes.removeSubrange(place..<end)
        default: bytes.removeSubrange(place...)
        }
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var mixed = state
            mixed = (mixed ^ (mixed >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            return mixed ^ (mixed >> 29)
        }
    }
}

import Testing

/// docs/guarantees.md is worth what its tests are.
@Suite("Guarantees are tested")
struct GuaranteeTests {
    private static let page = Repository.file("docs/guarantees.md")

    /// The names of all tests, as they are written.
    private static var tests: Set<Substring> {
        var names: Set<Substring> = []
        for file in Repository.swift where file.path.hasPrefix("Tests/") {
            for call in file.text.split(separator: "@Test(").dropFirst() {
                let first = call.drop { $0.isWhitespace }
                guard first.first == "\"" else { continue }
                names.insert(first.dropFirst().prefix { $0 != "\"" })
            }
        }
        return names
    }

    /// The names in a line of the page.
    private static func quoted(_ line: Substring) -> [Substring] {
        line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map(\.element)
    }

    @Test("every test that the guarantees name exists")
    func names() {
        let tests = Self.tests
        #expect(tests.count > 500)
        let named = Self.page.lines.flatMap(Self.quoted)
        #expect(named.count > 100)
        for name in named where !tests.contains(name) {
            Issue.record("docs/guarantees.md names a test that does not exist: \(name)")
        }
    }

    @Test("every promise, pitfall and fault has a test")
    func rows() {
        // What durability means is a table of limits.
        let limits = ["durability", "none", "everysec", "always", "replicated"].map { "| `\($0)`" }
        for line in Self.page.lines where line.hasPrefix("| ") {
            if line.hasSuffix("| tests |") || limits.contains(where: line.hasPrefix) { continue }
            #expect(!Self.quoted(line).isEmpty, "no test: \(line)")
        }
    }
}

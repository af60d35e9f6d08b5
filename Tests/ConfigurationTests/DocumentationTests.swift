import FoundationEssentials
import FreshetModel
import Testing

@testable import Configuration

/// docs/configuration.md is the list of fields, so it must have them all.
@Suite("Documentation")
struct DocumentationTests {
    private let text: String

    init() throws {
        let folder = String(ExampleFileTests.folder.dropLast("/Config".count))
        let bytes = FileManager.default.contents(atPath: folder + "/docs/configuration.md")
        text = String(decoding: try #require(bytes), as: UTF8.self)
    }

    @Test("every field is in it")
    func fields() {
        var names = FieldNames.sections.flatMap(\.names)
        names += FieldNames.key + FieldNames.rateLimit + FieldNames.tls + FieldNames.parameter
        let missing = names.filter { name in
            !["`", "{", " "].contains { before in
                ["`", ":", ",", "}"].contains { text.contains(before + name + $0) }
            }
        }
        #expect(missing == [])
        #expect(PathForm.reserved.filter { !text.contains($0) } == [])
        let hasPattern = text.contains("`\(ParameterRule.standardPattern)`")
        #expect(hasPattern)
    }

    @Test("its example is right, without a warning")
    func example() throws {
        let begin = try #require(text.firstRange(of: "```yaml\n"))
        let end = try #require(text[begin.upperBound...].firstRange(of: "```"))
        let example = text[begin.upperBound..<end.lowerBound]
        var environment = ExampleFileTests.environment
        environment["DB_PASSWORD"] = "x"
        let file = try Configuration.check(
            Array(example.utf8), file: "F", environment: environment)
        #expect(
            file.warnings.map(\.message) == [
                "secrets travel in clear text beyond this machine: set `tls`, or put a proxy with "
                    + "TLS in front"
            ])
        #expect(file.settings.resources.count == 3)
        #expect(try file.settings.named("process.list").source?.kind == "postgres")
    }

    @Test("the errors it shows are told like that")
    func shownErrors() {
        let first = errors(of: "resources: {cinema: {fresh_fro: 5m, source: {csv: {file: a}}}}")
        #expect(
            first.map { $0.drop { $0 != "`" } } == [
                "`fresh_fro` is not a field of the resource `cinema`; did you mean `fresh_for`?"
            ])
        let text = "resources: {a: {schedule: {cron: 61 * * * *}, source: {csv: {file: a}}}}"
        #expect(errors(of: text) == ["F:1:34: `cron`: minute `61`: `61` is not in 0-59"])
    }
}

@Suite("Placeholders and SQL")
struct TextScanTests {
    @Test(
        "names in braces",
        arguments: [
            ("a{b}c", ["b"]), ("{a}{b}{a}", ["a", "b"]), ("{}{ a}{a }{1}", []),
            (#"{"a": "{b}", "c": {d}}"#, ["b", "d"]), ("{a", []), ("a}", []), ("{{a}}", ["a"]),
            ("{a.b-c_d}", ["a.b-c_d"]), ("{ø}", []), ("${a}", []), ("${{a}", ["a"]),
            ("{.a}", [".a"]),
        ])
    func placeholders(text: String, names: [String]) {
        #expect(Placeholders.names(in: text) == names)
    }

    @Test(
        "the highest parameter of a query",
        arguments: [
            ("select 1", 0), ("select $1, $3", 3), ("select '$1'", 0), ("select E'\\'$1'", 0),
            ("select '\\', $1", 1), ("select 'it''s $1', $2", 2), (#"select "$1""#, 0),
            ("select 1 -- $1\n, $2", 2), ("/* $1 /* $2 */ $3 */ $4", 4), ("$$ $1 $$ $2", 2),
            ("$a$ $1 $$ $a$ $2", 2), ("a$1", 0), ("$12", 12), ("'$1", 0), ("/* $1", 0), ("$", 0),
            ("$x", 0), ("e'\\\\' || $1", 1), ("type'$1' $2", 2),
        ])
    func query(text: String, count: Int) {
        #expect(SQLText.parameterCount(text) == count)
    }

    @Test("suggestions are near, or there are none")
    func suggestions() {
        let names = FieldNames.resource
        #expect(Suggestion.nearest(to: "fresh_fro", among: names) == "fresh_for")
        #expect(Suggestion.nearest(to: "keepFor", among: names) == "keep_for")
        #expect(Suggestion.nearest(to: "sources", among: names) == "source")
        #expect(Suggestion.nearest(to: "timeuot", among: names) == "timeout")
        #expect(Suggestion.nearest(to: "colour", among: names) == nil)
        #expect(Suggestion.nearest(to: "", among: names) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "x", count: 9_999), among: names) == nil)
    }
}

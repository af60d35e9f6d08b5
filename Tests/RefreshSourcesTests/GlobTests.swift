import RefreshSources
import Testing

@Suite("Globs")
struct GlobTests {
    @Test(
        "patterns match whole paths",
        arguments: [
            ("**/*", "a", true), ("**/*", "a/b/c.txt", true), ("*", "a", true), ("*", "a/b", false),
            ("*.tif", "x.tif", true), ("*.tif", "a/x.tif", false), ("**/*.tif", "x.tif", true),
            ("**/*.tif", "a/b/x.tif", true), ("**/*.tif", "x.tiff", false), ("a/**", "a/b", true),
            ("a/**", "a", false), ("a/**", "a/b/c", true), ("a/**", "ab/c", false),
            ("a/**/z", "a/z", true), ("a/**/z", "a/b/c/z", true), ("a/**/z", "a/b/c/y", false),
            ("**/b/**/d", "a/b/c/b/d", true), ("**/b/*/d", "b/x/b/d", false),
            ("?.txt", "a.txt", true), ("?.txt", "é.txt", true), ("?.txt", "ab.txt", false),
            ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true),
            ("[!a-c]x", "ax", false), ("[]a]", "]", true), ("[a-]", "-", true),
            ("*.{tif,tiff}", "a.tiff", true), ("*.{tif,tiff}", "a.png", false),
            ("{a,b/{c,d}}/*", "b/d/x", true), ("{a,b/{c,d}}/*", "b/x", false),
            ("*", ".hidden", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbY", false),
            ("**", "a/b", true), ("./a", "a", true), ("\\*", "*", true), ("\\*", "a", false),
            ("A", "a", false), ("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] as [(String, String, Bool)])
    func matching(pattern: String, path: String, expected: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(path) == expected)
    }

    @Test(
        "malformed patterns are not made",
        arguments: [
            "", "/a", "a//b", "a/", "../a", "a/../b", "[a", "{a", "a}", "[b-a]", "a\\", ".",
        ])
    func malformed(pattern: String) {
        #expect(Glob(pattern) == nil)
    }

    @Test("braces cannot blow up")
    func bounded() {
        #expect(Glob(String(repeating: "{a,b}", count: 20)) == nil)
    }

    private func names(_ path: String) -> [ArraySlice<UInt8>] {
        Array(path.utf8).split(separator: UInt8(ascii: "/"))
    }

    @Test("directories that cannot hold a match, or hold nothing else, are told")
    func pruning() throws {
        let deep = try #require(Glob("a/**/x"))
        #expect(deep.mayMatch(below: names("a")))
        #expect(deep.mayMatch(below: names("a/b")))
        #expect(!deep.mayMatch(below: names("b")))
        let flat = try #require(Glob("a/*.txt"))
        #expect(flat.mayMatch(below: names("a")))
        #expect(!flat.mayMatch(below: names("a/b")))
        let tree = try #require(Glob("**/tmp/**"))
        #expect(tree.coversAll(below: names("a/tmp")))
        #expect(!tree.coversAll(below: names("a")))
        let name = try #require(Glob("tmp"))
        #expect(name.coversAll(below: names("tmp")))
        #expect(!name.coversAll(below: names("a/tmp")))
    }
}

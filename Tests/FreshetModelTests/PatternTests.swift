import FreshetModel
import Testing

@Suite("Pattern")
struct PatternTests {
    @Test(
        "matches whole values only",
        arguments: [
            ("[a-z-]{1,40}", ["oslo", "mo-i-rana", "a"], ["", "Oslo", "oslo1", "a b", "a\n"]),
            ("a|bc", ["a", "bc"], ["ab", "abc", "b", ""]),
            ("", [""], ["a"]),
            ("a*", ["", "aaaa"], ["b", "ab"]),
            ("(ab)+", ["ab", "abab"], ["", "aba"]),
            ("a?b", ["b", "ab"], ["aab", "a"]),
            ("x{3}", ["xxx"], ["xx", "xxxx"]),
            ("x{2,}", ["xx", "xxxxxx"], ["x"]),
            ("x{0,2}", ["", "x", "xx"], ["xxx"]),
            (".", ["a", "ø", "😀"], ["", "ab", "\n"]),
            (#"\d{4}-\d{2}"#, ["2026-11"], ["2026-1", "٢٠٢٦-١١"]),
            (#"[^\x00-\x1F\x7F]{1,256}"#, ["Tromsø / Å", "-"], ["", "a\nb", "\u{7F}"]),
            ("^[a-z]+$", ["abc"], ["", "ABC"]),
            (#"\Aabc\z"#, ["abc"], ["abcd"]),
            ("a^b", [], ["ab", "a^b"]),
            ("(^a|b)c", ["ac", "bc"], ["abc"]),
            ("(?i)oslo[a-c]", ["OSLOA", "oslob", "OsLoC"], ["oslod"]),
            ("(?:a|b)(?<name>c)", ["ac", "bc"], ["ab"]),
            ("[]a]", ["]", "a"], ["b"]),
            ("[a-]", ["a", "-"], ["b"]),
            (#"[\]\\^]"#, ["]", "\\", "^"], ["a"]),
            (#"[\d_]+"#, ["1_2"], ["a"]),
            (#"[^\w]"#, [" ", "ø"], ["a", "_"]),
            (#"\w+\s\W"#, ["ab !"], ["ab!"]),
            (#"a\.b\{\}"#, ["a.b{}"], ["axb{}"]),
            (#"\u00e6\x{1F600}"#, ["æ😀"], ["æ"]),
            (#"\p{L}+"#, ["Åse", "中文"], ["a1", ""]),
            (#"\p{Nd}\P{L}"#, ["1-", "٣1"], ["1a"]),
            ("a+?b*?", ["a", "aab"], ["b"]),
            ("(a|b|)c", ["ac", "bc", "c"], ["abc"]),
            ("é", ["\u{E9}"], ["e\u{301}"]),
            ("[A-Z]", ["K"], ["\u{212A}"]),
            ("(a*)*", ["", "aaa"], ["b"]),
            ("((a|)+b?)*", ["", "aab"], ["c"]),
        ] as [(String, [String], [String])])
    func matching(text: String, good: [String], bad: [String]) throws {
        let pattern = try Pattern(text)
        for value in good { #expect(pattern.matches(value), "\(value)") }
        for value in bad { #expect(!pattern.matches(value), "\(value)") }
    }

    @Test(
        "bad syntax is refused with its place",
        arguments: [
            ("[a-z", "`[` without `]`", 0), ("(a", "`(` without `)`", 0), ("a)", "`)` without", 1),
            ("*a", "nothing to repeat", 0), ("a**", "repeats a repetition", 2),
            ("a{2,1}", "backwards", 1), ("a{", "count", 1), ("a{2", "`{` without `}`", 1),
            ("a{9999}", "at most 1024", 5), ("{a}", "nothing to repeat", 0),
            ("a}", "without its opening", 1), (#"\"#, "at the end", 0), (#"(a)\1"#, "back ref", 3),
            ("(?=a)", "look-ahead", 0), ("(?!a)", "look-ahead", 0), ("(?<=a)", "look-behind", 0),
            ("(?<n", "ends with", 4), ("a(?i)b", "very beginning", 1), (#"\q"#, "means nothing", 0),
            ("[z-a]", "backwards", 1), (#"[\d-z]"#, "from a character", 1),
            ("[[:alpha:]]", "named classes", 1), (#"\xZZ"#, "by number", 0),
            (#"\u12"#, "by number", 0), (#"\x{110000}"#, "by number", 0),
            (#"\p{Foo}"#, "category", 0),
            (#"\pL"#, "category", 0), (#"\bword"#, "not supported", 0), ("a++", "repeats", 2),
        ])
    func syntax(text: String, message: String, offset: Int) {
        do {
            _ = try Pattern(text)
            Issue.record("`\(text)` was taken")
        } catch {
            #expect(error.message.contains(message), "\(error.message)")
            #expect(error.offset == offset, "\(error.message)")
        }
    }

    @Test(
        "patterns that would take too much are refused, at once",
        arguments: [
            "((a{100}){100}){100}", "(a{1,100}){1,100}", "(a|b)*a(a|b){14}",
            String(repeating: "a", count: 1_025), String(repeating: "(", count: 60),
        ])
    func tooLarge(text: String) {
        let clock = ContinuousClock()
        let took = clock.measure {
            #expect(throws: Pattern.ParseError.self) { try Pattern(text) }
        }
        #expect(took < .seconds(20))
    }

    @Test("what makes others backtrack is matched in a step per character")
    func linear() throws {
        for text in ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)*b", "([a-z]+)*!", "(x+x+)+y"] {
            let pattern = try Pattern(text)
            let value = String(repeating: text.contains("x") ? "x" : "a", count: 100_000)
            let took = ContinuousClock().measure { #expect(!pattern.matches(value)) }
            #expect(took < .seconds(5))
        }
    }

    @Test("agrees with a matcher that follows the definition")
    func agreement() throws {
        var generator = SplitMix(seed: 11)
        for _ in 0..<1_500 {
            let expression = Expression.random(depth: 4, &generator)
            let pattern = try Pattern(expression.text)
            for _ in 0..<8 {
                let value = (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                    ["a", "b", "c"][Int.random(in: 0...2, using: &generator)] as Character
                }
                let expected = expression.ends(of: value, from: [0]).contains(value.count)
                #expect(
                    pattern.matches(String(value)) == expected,
                    "`\(expression.text)` on `\(String(value))`")
            }
        }
    }

    private indirect enum Expression {
        case one(String, of: Set<Character>)
        case sequence(Expression, Expression)
        case choice(Expression, Expression)
        case repeated(Expression, Int, Int?)

        static func random(depth: Int, _ generator: inout SplitMix) -> Expression {
            let sets: [(String, Set<Character>)] = [
                ("a", ["a"]), ("b", ["b"]), ("[ab]", ["a", "b"]), ("[^a]", ["b", "c"]),
                (".", ["a", "b", "c"]),
            ]
            switch depth == 0 ? 0 : Int.random(in: 0...5, using: &generator) {
            case 0, 1:
                let (text, set) = sets[Int.random(in: 0..<sets.count, using: &generator)]
                return .one(text, of: set)
            case 2, 3:
                return .sequence(
                    random(depth: depth - 1, &generator), random(depth: depth - 1, &generator))
            case 4:
                return .choice(
                    random(depth: depth - 1, &generator), random(depth: depth - 1, &generator))
            default:
                let minimum = Int.random(in: 0...2, using: &generator)
                let extra = Int.random(in: 0...3, using: &generator)
                return .repeated(
                    random(depth: depth - 1, &generator), minimum,
                    extra == 3 ? nil : minimum + extra)
            }
        }

        var text: String {
            switch self {
            case .one(let text, _): text
            case .sequence(let left, let right): left.text + right.text
            case .choice(let left, let right): "(\(left.text)|\(right.text))"
            case .repeated(let body, 0, nil): "(\(body.text))*"
            case .repeated(let body, 1, nil): "(\(body.text))+"
            case .repeated(let body, let minimum, let maximum):
                "(\(body.text)){\(minimum),\(maximum.map(String.init) ?? "")}"
            }
        }

        func ends(of value: [Character], from begins: Set<Int>) -> Set<Int> {
            switch self {
            case .one(_, let set):
                return Set(
                    begins.filter { $0 < value.count && set.contains(value[$0]) }.map { $0 + 1 })
            case .sequence(let left, let right):
                return right.ends(of: value, from: left.ends(of: value, from: begins))
            case .choice(let left, let right):
                return left.ends(of: value, from: begins)
                    .union(right.ends(of: value, from: begins))
            case .repeated(let body, let minimum, let maximum):
                var reached = begins
                for _ in 0..<minimum { reached = body.ends(of: value, from: reached) }
                var all = reached
                for _ in 0..<((maximum ?? minimum + value.count + 1) - minimum) {
                    reached = body.ends(of: value, from: reached)
                    all.formUnion(reached)
                }
                return all
            }
        }
    }

    @Test("tells which characters it lets through")
    func lets() throws {
        let slug = try Pattern("[a-z][a-z-]*")
        #expect(!slug.mayContain("/"))
        #expect(slug.mayContain("-"))
        #expect(!slug.mayBegin(with: "-"))
        let any = try Pattern(ParameterRule.standardPattern)
        #expect(any.mayContain("/"))
        #expect(any.mayBegin(with: "-"))
        #expect(!any.mayContain("\n"))
    }

    @Test("a match costs little")
    func cost() throws {
        let pattern = try Pattern("[a-z-]{1,40}")
        let took = ContinuousClock().measure {
            for _ in 0..<10_000 { _ = pattern.matches("stavanger-sentrum") }
        }
        // Some 20 µs each in a debug build, 0.1 µs in a release build.
        #expect(took < .seconds(10))
    }
}

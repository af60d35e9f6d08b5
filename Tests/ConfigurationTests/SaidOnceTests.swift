import Configuration
import FreshetModel
import Testing

/// One mistake is one error: what follows from it is not told beside it.
@Suite("Mistakes are told once")
struct SaidOnceTests {
    private static let resource = "resources: {a: {source: {command: {argv: [/bin/true]}}}}"

    @Test(
        "keys that cannot be read are not also missing",
        arguments: [
            (
                "keys: [{name: a, sha256: \"${NOPE}\"}]",
                "F:1:52: the environment variable `${NOPE}` is not set"
            ),
            ("keys: \"${NOPE}\"", "F:1:33: the environment variable `${NOPE}` is not set"),
            ("keys: [\"${NOPE}\"]", "F:1:34: the environment variable `${NOPE}` is not set"),
            ("keys: 5", "F:1:33: `keys`: expected a list of keys, found `5`"),
            ("key: []", "F:1:27: `key` is not a field of `api`; did you mean `keys`?"),
        ])
    func keys(text: String, error: String) {
        #expect(errors(of: "api: {listen: 0.0.0.0:80, \(text)}\n\(Self.resource)") == [error])
    }

    @Test("no keys at all are told")
    func noKeys() {
        for text in [", keys: []", ""] {
            let found = errors(of: "api: {listen: 0.0.0.0:80\(text)}\n\(Self.resource)")
            #expect(found.count == 1 && found[0].contains("there are no `api.keys`"), "\(found)")
        }
        let found = errors(of: "api:\n  listen: 0.0.0.0:80\n  keys:\n\(Self.resource)")
        #expect(found == ["F:3:8: `keys` has no value; it is a list of keys"])
    }

    @Test("a section that is an unset variable is only that")
    func sections() {
        for name in ["api", "redis", "refresh", "worker", "defaults", "resources"] {
            #expect(
                errors(of: "\(name): \"${NOPE}\"")
                    == [
                        "F:1:\(name.utf8.count + 3): the environment variable `${NOPE}` is not set"
                    ],
                "\(name)")
        }
        for field in ["source", "params", "schedule", "retry"] {
            let rest = field == "source" ? "" : ", source: {csv: {file: f}}"
            let found = errors(of: "resources: {a: {\(field): \"${NOPE}\"\(rest)}}")
            #expect(found.count == 1, "\(found)")
        }
    }

    @Test("a misspelled field is not also missing")
    func misspelled() {
        #expect(
            errors(of: "resources:\n  a: {surce: {csv: {file: f}}}\n  a.b: {}")
                == ["F:2:7: `surce` is not a field of the resource `a`; did you mean `source`?"])
        #expect(
            errors(of: "resources: {a: {source: {http: {ulr: http://h}}}}")
                == ["F:1:33: `ulr` is not a field of `source.http`; did you mean `url`?"])
        #expect(
            errors(of: "resources: {a: {source: {command: {args: [/bin/true]}}}}")
                == ["F:1:36: `args` is not a field of `source.command`; did you mean `argv`?"])
        // What is meant for something else does not stand for it.
        #expect(errors(of: "resources: {a: {fresh: 5m}}").contains { $0.contains("no `source`") })
    }

    @Test("an undeclared parameter in working_directory is told")
    func workingDirectory() throws {
        func text(_ params: String) -> String {
            """
            resources:
              a:
                params: \(params)
                source: {command: {argv: [pwd], working_directory: "/srv/{name}"}}
            """
        }
        #expect(errors(of: text("{}")) == ["F:4:56: `{name}` is not declared in `params`"])
        #expect(errors(of: text("{name: {pattern: \"[a-z]+\"}}")) == [])
        let file = try Configuration.check(
            Array(text("{name: {}}").utf8), file: "F", environment: [:])
        #expect(file.warningLines.contains { $0.contains("may hold `/`") })
    }

    @Test("what $${ stands for is text, also in templates")
    func dollars() throws {
        let text = #"""
            resources:
              a:
                params: {x: {}}
                source:
                  command:
                    argv: [sh, -c, 'echo $${HOME} $HOME $$ {x} $${x}']
                    environment: {A: "$${name}"}
            """#
        let settings = try Configuration.parse(text: text, file: "F", environment: [:])
        guard case .command(let command)? = try settings.named("a").source else {
            Issue.record("no command")
            return
        }
        #expect(command.argv.last == "echo ${HOME} $HOME $$ {x} ${x}")
        #expect(command.environment == ["A": "${name}"])
        #expect(
            errors(of: "resources: {a: {source: {http: {url: \"http://h/$${a}?b={c}\"}}}}")
                == ["F:1:38: `{c}` is not declared in `params`"])
    }
}

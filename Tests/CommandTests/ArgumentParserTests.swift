import Testing

@testable import freshet_cli

@Suite("Arguments")
struct ArgumentParserTests {
    private let parser = ArgumentParser(commands: CommandTable.all)

    private func invocation(_ line: String) throws -> Invocation {
        let words = line.split(separator: " ").map(String.init)
        guard case .run(let invocation) = try parser.parse(words) else {
            throw UsageError(message: "not a command: \(line)")
        }
        return invocation
    }

    private func message(_ line: String) -> String? {
        do throws(UsageError) {
            _ = try parser.parse(line.split(separator: " ").map(String.init))
            return nil
        } catch {
            return error.message
        }
    }

    @Test("flags take their value as the next word or after an equals sign")
    func values() throws {
        let up = try invocation("up --config demo.yaml --port=9000 --api 2")
        #expect(up.value("config") == "demo.yaml")
        #expect(up.number("port") == 9000)
        #expect(up.number("api") == 2)
        #expect(up.number("workers") == nil)
    }

    @Test("flags and operands may be mixed, and -- ends the flags")
    func mixed() throws {
        let refresh = try invocation("refresh --wait catalog --scope a --scope b")
        #expect(refresh.operands == ["catalog"])
        #expect(refresh.all("scope") == ["a", "b"])
        #expect(refresh.has("wait") && !refresh.has("force"))
        #expect(try invocation("job -- --id").operands == ["--id"])
    }

    @Test("commands of two words are found by both")
    func twoWords() throws {
        #expect(try invocation("config check f.yaml").command == CommandTable.configCheck)
        #expect(try invocation("key new web").operand == "web")
    }

    @Test("help is asked for in every usual way")
    func help() throws {
        #expect(try parser.parse(["--help"]) == .help(command: nil))
        #expect(try parser.parse(["help"]) == .help(command: nil))
        #expect(try parser.parse(["help", "refresh"]) == .help(command: "refresh"))
        #expect(try parser.parse(["help", "config", "check"]) == .help(command: "config check"))
        #expect(try parser.parse(["refresh", "--help"]) == .help(command: "refresh"))
        #expect(try parser.parse(["refresh", "x", "--wait", "-h"]) == .help(command: "refresh"))
        #expect(try parser.parse(["config", "--help"]) == .help(command: "config"))
        #expect(try parser.parse(["key", "-h"]) == .help(command: "key"))
        #expect(try parser.parse(["config", "check", "-h"]) == .help(command: "config check"))
        #expect(try parser.parse(["--version"]) == .version)
    }

    @Test(
        "mistakes are told with what was probably meant",
        arguments: [
            ("refesh x", "unknown command `refesh`; did you mean `refresh`?"),
            ("refresh x --forse", "unknown flag --forse; did you mean --force?"),
            ("refresh x --xyzzy", "unknown flag --xyzzy"),
            ("refresh x -w", "unknown flag -w; did you mean --wait?"),
            ("refresh", "KEY is missing: a resource, or one with parameters: events?city=oslo"),
            ("refresh a b", "unexpected argument `b`"),
            ("up --port 70000", "--port is a number from 0 to 65535, not `70000`"),
            ("up --port --api 2", "--port needs a value, N"),
            ("up --port 1 --port 2", "--port is given twice"),
            ("refresh x --wait=yes", "--wait takes no value"),
            ("queue --pause --resume", "--pause and --resume cannot be given together"),
            (
                "jobs --state queud",
                "--state does not know `queud`, only queued, running, retrying, succeeded, "
                    + "cancelled, dead; did you mean `queued`?"
            ),
            ("config chek x", "unknown command `config chek`: there is `freshet config check`"),
            ("completion tcsh", "SHELL is one of bash, zsh, fish, not `tcsh`"),
            ("--verison", "unknown flag --verison; did you mean --version?"),
            ("", "which command?"),
        ])
    func mistakes(line: String, expected: String) {
        #expect(message(line) == expected)
    }

    @Test("every command has help with an example of itself", arguments: CommandTable.all)
    func examples(command: CommandSpec) throws {
        let text = Help(commands: CommandTable.all).text(for: command.name)
        #expect(text.contains("freshet \(command.name)"))
        #expect(!command.examples.isEmpty)
        for flag in command.allFlags { #expect(text.contains("--\(flag.name)")) }
        for example in command.examples {
            // What a shell would make of the call; substitutions and redirections are its own.
            let words = example.call.split(separator: " ").map { $0.filter { $0 != "'" } }
            guard words.first == "freshet" else { continue }
            let arguments = words.dropFirst().prefix { $0 != ">" }
            _ = try parser.parse(Array(arguments))
        }
    }

    @Test("completion scripts know every command and flag", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) {
        let script = Completion(commands: CommandTable.all).script(for: shell)
        for command in CommandTable.all {
            for word in command.name.split(separator: " ") { #expect(script.contains(word)) }
            for flag in command.flags { #expect(script.contains(flag.name)) }
        }
    }

    @Test("slips of the hand are a few edits away")
    func edits() {
        #expect(Suggestion.edits(from: "refresh", to: "refresh") == 0)
        #expect(Suggestion.edits(from: "refersh", to: "refresh") == 1)
        #expect(Suggestion.edits(from: "", to: "abc") == 3)
        #expect(Suggestion.nearest(to: "zzz", among: ["refresh", "up"]) == nil)
    }
}

import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite("Command source", .timeLimit(.minutes(1)))
struct CommandSourceTests {
    private func shell(_ script: String, _ change: (inout CommandSource) -> Void = { _ in })
        throws -> any RefreshSource
    {
        var definition = CommandSource(argv: ["sh", "-c", script])
        change(&definition)
        return try source(.command(definition))
    }

    @Test("standard output is the payload, with its facts")
    func output() async throws {
        let payload = try await shell("echo '[1,2,3]'").run(context()).payload()
        #expect(payload.text == "[1,2,3]\n")
        #expect(payload.contentType == "application/json")
        #expect(payload.facts.sizeBytes == 8)
        #expect(payload.facts.itemCount == 3)
        #expect(payload.facts.contentTag.utf8.count == 32)
    }

    @Test("output that is not JSON fails the attempt, unless it is not declared JSON")
    func contentType() async throws {
        let error = try await failure(shell("echo oops"), context())
        #expect(!error.isPermanent)
        let text = try await shell("echo oops") { $0.contentType = "text/plain" }
            .run(context()).payload()
        #expect(text.text == "oops\n")
        #expect(text.facts.itemCount == nil)
    }

    @Test("the environment is clean and tells about the job")
    func environment() async throws {
        unsafe setenv("FRESHET_TEST_SECRET", "s3cret", 1)
        var definition = CommandSource(argv: ["/usr/bin/env"])
        definition.contentType = "text/plain"
        definition.environment = ["MODE": "fast-{city-name}", "LANG": "C"]
        let run = try source(.command(definition), parameters: ["city-name", "page"])
        let text = try await run.run(
            context(
                ["city-name": "São Paulo", "page": "2"], attempt: 3,
                scope: RefreshScope(["b", "a\"c"]))
        ).payload().text
        let lines = Set(text.split(separator: "\n").map(String.init))
        #expect(lines.contains("FRESHET_KEY=test?city-name=S%C3%A3o%20Paulo&page=2"))
        #expect(lines.contains("FRESHET_PARAM_CITY_NAME=São Paulo"))
        #expect(lines.contains("FRESHET_PARAM_PAGE=2"))
        #expect(lines.contains("FRESHET_JOB_ID=1-test"))
        #expect(lines.contains("FRESHET_ATTEMPT=3"))
        #expect(lines.contains("FRESHET_SCOPE=[\"a\\\"c\",\"b\"]"))
        #expect(lines.contains("MODE=fast-São Paulo"))
        #expect(lines.contains("LANG=C"))
        #expect(lines.contains { $0.hasPrefix("PATH=") })
        #expect(!text.contains("FRESHET_PREVIOUS"))
        #expect(!text.contains("s3cret"))
    }

    @Test("the whole payload has the scope []")
    func wholeScope() async throws {
        let payload = try await shell("echo \"$FRESHET_SCOPE\"").run(context()).payload()
        #expect(payload.text == "[]\n")
    }

    @Test("the kept payload can be read from FRESHET_PREVIOUS and is gone afterwards")
    func previous() async throws {
        let script = "cat \"$FRESHET_PREVIOUS\"; echo \"$FRESHET_PREVIOUS\" >&3"
        let folder = try Folder()
        let old = kept(
            try Payload.checked(Array("[\"old\"]".utf8), contentType: "application/json"))
        let payload = try await shell(
            script + "; echo \"$FRESHET_PREVIOUS\" > \(folder.path)/name"
        ).run(context(previous: old)).payload()
        #expect(payload.text == "[\"old\"]")
        let name = try #require(folder.read("name")).split(separator: "\n")[0]
        #expect(unsafe access(String(name), F_OK) != 0)
    }

    @Test("parameters reach the program as they are, whatever they hold")
    func injection() async throws {
        var definition = CommandSource(argv: ["printf", "%s", "{value}"])
        definition.contentType = "text/plain"
        let run = try source(.command(definition), parameters: ["value"])
        for value in [
            "; rm -rf /", "$(id)", "`id`", "a b", "'\"", "\n", "*", "é", "%s", "a\\n", "&& false",
            "",
        ] {
            #expect(try await run.run(context(["value": value])).payload().text == value)
        }
    }

    @Test("braces after a dollar belong to the shell")
    func dollars() async throws {
        var definition = CommandSource(argv: ["sh", "-c", "printf %s \"${VALUE} $VALUE {value}\""])
        definition.environment = ["VALUE": "v"]
        definition.contentType = "text/plain"
        let run = try source(.command(definition), parameters: ["value"])
        #expect(try await run.run(context(["value": "w"])).payload().text == "v v w")
    }

    @Test("the working directory may be made of parameters, which cannot lead elsewhere")
    func workingDirectoryOfParameters() async throws {
        let folder = try Folder()
        unsafe mkdir(folder.path + "/inner", 0o755)
        var definition = CommandSource(argv: ["pwd"])
        definition.workingDirectory = folder.path + "/{value}"
        definition.contentType = "text/plain"
        let run = try source(.command(definition), parameters: ["value"])
        let payload = try await run.run(context(["value": "inner"])).payload()
        #expect(payload.text.hasSuffix("/inner\n"))
        for value in ["..", ".", "", "a/b", "/"] {
            let error = try await failure(run, context(["value": value]))
            #expect(error.isPermanent, "\(value)")
        }
    }

    @Test("a parameter cannot become an option")
    func options() async throws {
        let run = try source(
            .command(CommandSource(argv: ["echo", "{value}"])), parameters: ["value"])
        for value in ["-n", "--help", "-"] {
            let error = try await failure(run, context(["value": value]))
            #expect(error.isPermanent, "\(value)")
        }
        let inside = try source(
            .command(CommandSource(argv: ["echo", "--n={value}"])), parameters: ["value"])
        await #expect(throws: SourceError.self) { try await inside.run(context(["value": "-1"])) }
    }

    @Test("what cannot run is refused when it is made")
    func definitions() {
        for argv in [[], [""], ["{value}"], ["echo", "{other}"]] {
            #expect(throws: SourceError.self) {
                try source(.command(CommandSource(argv: argv)), parameters: ["value"])
            }
        }
    }

    @Test("progress is read from descriptor 3, and lines that are none are passed over")
    func progress() async throws {
        let told = Recorder<Progress>()
        let script = """
            echo '{"done":1,"total":4,"message":"one"}' >&3; echo 'nonsense' >&3
            echo '{"done":2}' >&3; printf '{"done":-1}\\n{"done":"x"}\\n[]\\n{}\\n' >&3
            head -c 100000 /dev/zero >&3; echo >&3; printf '{"done":4,"total":4}' >&3; echo 1
            """
        _ = try await shell(script).run(context { told.add($0) })
        #expect(
            told.values == [
                Progress(done: 1, total: 4, message: "one"), Progress(done: 2, total: 4),
                Progress(done: 4, total: 4),
            ])
    }

    @Test("not_modified renews, when something is kept")
    func notModified() async throws {
        let run = try shell("echo '{\"not_modified\":true}' >&3; echo rubbish")
        let old = kept(try Payload.checked(Array("1".utf8), contentType: "application/json"))
        #expect(try await run.run(context(previous: old)).isNotModified)
        #expect(try await !failure(run, context()).isPermanent)
    }

    @Test("exit 65 is for good, any other is not; the error is the end of standard error")
    func exits() async throws {
        let fatal = try await failure(shell("echo no such city >&2; exit 65"), context())
        #expect(fatal == SourceError("no such city", isPermanent: true))
        let failed = try await failure(shell("echo later >&2; echo 1; exit 1"), context())
        #expect(failed == SourceError("later"))
        #expect(try await failure(shell("exit 3"), context()).message.contains("status 3"))
        #expect(try await failure(shell("kill -9 $$"), context()).message.contains("signal 9"))
        let long = try await failure(
            shell("head -c 9000 /dev/zero | tr '\\0' a >&2; echo end >&2; exit 1"), context())
        #expect(long.message.hasSuffix("end"))
        #expect(long.message.utf8.count <= 4096)
        let binary = try await failure(shell("printf '\\377\\376' >&2; exit 1"), context())
        #expect(binary.message == "\u{FFFD}\u{FFFD}")
    }

    @Test("a program that is not there is told as such")
    func missing() async throws {
        for program in ["no-such-program-anywhere", "/no/such/program", "/tmp"] {
            let run = try source(.command(CommandSource(argv: [program])))
            #expect(try await failure(run, context()).message.contains(program))
        }
        let nowhere = try shell("echo 1") { $0.workingDirectory = "/no/such/directory" }
        #expect(try await failure(nowhere, context()).message.contains("did not start"))
    }

    @Test("it runs where it is told to")
    func workingDirectory() async throws {
        let folder = try Folder()
        let payload = try await shell("echo \"\\\"$(pwd)\\\"\"") {
            $0.workingDirectory = folder.path
        }.run(context()).payload()
        #expect(payload.text == "\"\(folder.path)\"\n")
    }

    @Test("output past max_bytes is for good and ends the program at once")
    func infiniteOutput() async throws {
        let isPrompt = try await shortest(below: .seconds(3)) {
            let begin = ContinuousClock.now
            let run = try shell("exec yes") { $0.maximumBytes = 1 << 20 }
            let error = try await failure(run, context())
            #expect(error.isPermanent)
            #expect(error.message.contains("max_bytes"))
            return ContinuousClock.now - begin
        }
        #expect(isPrompt)
        let exact = try shell("printf 12345678") { $0.maximumBytes = 8 }
        #expect(try await exact.run(context()).payload().text == "12345678")
    }

    @Test("megabytes on both streams do not block each other")
    func bothStreams() async throws {
        let payload = try await shell(
            "head -c 3000000 /dev/zero | tr '\\0' 1 & head -c 3000000 /dev/zero >&2; wait"
        ).run(context()).payload()
        #expect(payload.facts.sizeBytes == 3_000_000)
    }

    @Test("it inherits no descriptor but 0 to 3, default signals, and its own group")
    func inheritance() async throws {
        signal(SIGPIPE, SIG_IGN)
        let leaked = unsafe open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let script = """
            readlink /proc/$$/fd/0
            grep SigIgn /proc/$$/status; cut -d' ' -f5 /proc/$$/stat; echo $$; ulimit -c
            """
        let text = try await shell(script) { $0.contentType = "text/plain" }
            .run(context()).payload().text
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "/dev/null")
        var list = CommandSource(argv: ["ls", "/proc/self/fd"])
        list.contentType = "text/plain"
        let open = try await source(.command(list)).run(context()).payload().text
        // The last one is the directory that ls reads.
        #expect(open == "0\n1\n2\n3\n4\n")
        // Signal 32 belongs to the C library and cannot be set.
        let ignored = try #require(UInt64(lines[1].suffix(16), radix: 16))
        #expect(ignored & 0x7FFF_FFFF == 0)
        #expect(lines[2] == lines[3])
        #expect(lines[4] == "0")
    }
}

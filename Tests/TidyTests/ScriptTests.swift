import Testing

/// Each Lua script says what it is given and what it gives back.
@Suite("Scripts are documented")
struct ScriptTests {
    @Test("every script begins with what it does, its arguments, answer and cost")
    func headers() {
        for script in Repository.scripts {
            // Shared text that is put before scripts is none itself.
            guard script.text.hasPrefix("#!lua") else {
                #expect(script.text.contains("repended"), "\(script) does not say what it is")
                continue
            }
            let header = script.lines.prefix { $0.hasPrefix("--") || $0.hasPrefix("#!") }
                .joined(separator: "\n")
            for word in ["ARGV", "Returns", "O("] {
                #expect(header.contains(word), "\(script) does not say \(word)")
            }
        }
    }

    @Test("no script takes the time from anywhere but Redis")
    func clock() {
        for script in Repository.scripts {
            #expect(!script.text.contains("os.time"), "\(script)")
            #expect(!script.text.contains("os.clock"), "\(script)")
        }
    }

    @Test("no script is longer than 200 lines")
    func lengths() {
        for script in Repository.scripts {
            #expect(script.lines.count <= 200, "\(script)")
        }
    }
}

import Configuration
import FreshetModel

enum KeyFuzz {
    static func read(_ bytes: [UInt8]) {
        let input = text(bytes)
        if let key = Key(input) {
            precondition(Key(key.text)?.text == key.text, "a canonical key is its own canon")
            precondition(key.text.utf8.count <= Key.maximumLength, "a key is bounded")
            let id = JobID(run: 1, key: key)
            precondition(JobID(id.text) == id, "a job id leads back to its key")
            precondition((0..<7).contains(key.partition(of: 7)), "a partition is one of them")
        }
        if let id = JobID(input) {
            precondition(JobID(id.text) == id, "a job id is written as it is read")
        }
        if let id = EventID(input) {
            precondition(EventID(id.description) == id, "an event id is written as it is read")
        }
        if let decoded = PercentEncoding.decode(input) {
            precondition(
                PercentEncoding.decode(PercentEncoding.encode(decoded)) == decoded,
                "encoding is undone by decoding")
        }
        _ = PercentEncoding.decodeQuery(input)
        _ = ListenAddress(input)
        matchPattern(bytes)
    }

    /// A pattern from a configuration against a value from a client: no input makes it explode.
    private static func matchPattern(_ bytes: [UInt8]) {
        let parts = pieces(bytes)
        guard parts.count > 1, let name = ResourceName("fuzzed") else { return }
        var resource = Resource(name: name)
        resource.parameters = [ParameterRule(name: "p", pattern: text(parts[0]))]
        _ = try? resource.key(parameters: [.init(name: "p", value: text(parts[1]))])
    }
}

enum ConfigurationFuzz {
    static func read(_ bytes: [UInt8]) {
        do throws(ConfigurationErrors) {
            let file = try Configuration.check(
                bytes, file: "fuzzed", environment: ["HOME": "/nonexistent"])
            precondition(!file.summary.contains("\n"), "a summary is one line")
        } catch {
            precondition(!error.errors.isEmpty, "a refusal says why")
            for problem in error.errors {
                precondition(
                    problem.place.line > 0 && problem.place.column > 0, "places count from 1")
                precondition(!problem.message.isEmpty, "an error says something")
            }
        }
    }
}

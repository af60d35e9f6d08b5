import FoundationEssentials
import Glibc
import TestSupport

/// A source as a shell script: it notes when each of its runs began, in a file that the test reads,
/// can be held in the middle of a run, and says in its payload which run made it.
struct CountedSource: Sendable {
    /// One run, from its line in the file.
    struct Run: Sendable, Equatable {
        /// Nanoseconds of the wall clock, as `History` counts.
        var start: Int64
        var key: String
        var job: String
    }

    /// A payload of this source.
    struct Payload: Decodable, Equatable, Sendable {
        var start: Int64
        var run: Int
    }

    let directory: String

    init(directory: String) throws {
        self.directory = directory
        try RunningStack.write(
            """
            start=$(date +%s%N)
            echo "$start $FRESHET_KEY $FRESHET_JOB_ID" >> \(directory)/runs
            run=$(grep -c " $FRESHET_KEY " \(directory)/runs)
            sleep "$1"
            while [ -e "\(directory)/hold-$FRESHET_KEY" ] || [ -e "\(directory)/hold-$FRESHET_KEY-$run" ]
            do sleep 0.03; done
            echo "{\\"start\\":$start,\\"run\\":$run}"
            """, to: directory + "/source.sh")
    }

    /// The `source` of a resource whose runs take so long.
    func configuration(seconds: Double = 0) -> String {
        "{command: {argv: [/bin/sh, \(directory)/source.sh, \"\(seconds)\"]}}"
    }

    /// All runs so far, in the order of their beginning.
    func runs(of key: String? = nil) -> [Run] {
        let data = FileManager.default.contents(atPath: directory + "/runs") ?? Data()
        return data.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count == 3, let start = Int64(words[0]) else { return nil }
            return Run(start: start, key: String(words[1]), job: String(words[2]))
        }
        .filter { key == nil || $0.key == key }
    }

    /// Holds every run of a key, or only its nth, until it is released.
    func hold(_ key: String, run: Int? = nil) throws {
        try RunningStack.write("", to: gate(key, run))
    }

    func release(_ key: String, run: Int? = nil) { unsafe unlink(gate(key, run)) }

    func releaseAll() {
        // Without its directory there is nothing to release.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("hold-") { unsafe unlink(directory + "/" + name) }
    }

    private func gate(_ key: String, _ run: Int?) -> String {
        "\(directory)/hold-\(key)" + (run.map { "-\($0)" } ?? "")
    }
}

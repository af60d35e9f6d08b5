internal import FoundationEssentials
internal import Runtime

/// The log of `freshet up` on standard error: its own lines and its children's, each with the name
/// of who wrote it.
///
///     worker-1 | 2026-11-20T10:00:00.123Z info job.claimed key=catalog attempt=1
///     up       | worker-1 ended (signal 9), next start in 0.1 s
///
/// In JSON form the children's lines pass as they are, for they say themselves who they are.
struct SupervisorLog {
    private static let colors = [36, 33, 32, 35, 34, 96, 93, 92]

    let isJSON: Bool
    let isColored: Bool
    /// Width of the longest name.
    let width: Int
    let write: (String) -> Void

    func line(_ line: String, from member: Member) {
        if isJSON {
            write(line.hasPrefix("{") ? line : object(level: "info", member.description, line))
        } else {
            write(prefix(member.description, color: Self.color(of: member)) + line)
        }
    }

    func report(_ report: Supervisor.Report) {
        let (level, text) = Self.words(for: report)
        say(text, level: level)
    }

    func say(_ text: String, level: String = "info") {
        write(isJSON ? object(level: level, "up", text) : prefix("up", color: 1) + text)
    }

    private func prefix(_ name: String, color: Int) -> String {
        let padded = name + String(repeating: " ", count: max(0, width - name.count))
        return isColored ? "\u{1B}[\(color)m\(padded) |\u{1B}[0m " : "\(padded) | "
    }

    private func object(level: String, _ process: String, _ message: String) -> String {
        struct Line: Encodable {
            var level: String
            var event = "process.output"
            var process: String
            var message: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(level: level, process: process, message: message)
        guard let data = try? encoder.encode(line) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func color(of member: Member) -> Int {
        let base =
            switch member.role {
            case .redis: 3
            case .api: 0
            case .scheduler: 4
            case .worker: 1
            }
        return colors[(base + member.number - 1) % colors.count]
    }

    private static func words(for report: Supervisor.Report) -> (level: String, text: String) {
        switch report {
        case .died(let member, let exit, let delay):
            ("warning", "\(member) ended (\(exit)), next start in \(delay.inTenths) s")
        case .gaveUp(let member, let exit):
            ("error", "\(member) cannot run (\(exit)); ending")
        case .notReady(let problem): ("warning", "not ready yet: \(problem)")
        case .draining: ("info", "ending; a second signal ends at once")
        case .tookTooLong(let member): ("warning", "\(member) did not end in time; killed")
        }
    }
}

extension Duration {
    /// Seconds with one digit after the point.
    fileprivate var inTenths: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}

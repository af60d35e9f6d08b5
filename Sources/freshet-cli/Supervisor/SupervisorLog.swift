internal import FreshetModel
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
        if !isJSON {
            write(prefix(member.description, color: Self.color(of: member)) + line)
        } else if line.hasPrefix("{") {
            write(line)
        } else {
            Log.info("process.output", ["process": member, "message": line])
        }
    }

    func report(_ report: Supervisor.Report) {
        guard isJSON else { return write(prefix("up", color: 1) + Self.words(for: report)) }
        switch report {
        case .died(let member, let exit, let delay):
            Log.warning(
                "process.ended",
                ["process": member, "how": exit, "next_start_seconds": delay.inSeconds])
        case .gaveUp(let member, let exit):
            Log.error("process.hopeless", ["process": member, "how": exit])
        case .notReady(let problem): Log.warning("stack.not_ready", ["problem": problem])
        case .draining: Log.info("stack.draining")
        case .tookTooLong(let member): Log.warning("process.killed", ["process": member])
        }
    }

    private func prefix(_ name: String, color: Int) -> String {
        let padded = name + String(repeating: " ", count: max(0, width - name.count))
        return isColored ? "\u{1B}[\(color)m\(padded) |\u{1B}[0m " : "\(padded) | "
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

    private static func words(for report: Supervisor.Report) -> String {
        switch report {
        case .died(let member, let exit, let delay):
            "\(member) ended (\(exit)), next start in \(delay.inTenths) s"
        case .gaveUp(let member, let exit): "\(member) cannot run (\(exit)); ending"
        case .notReady(let problem): "not ready yet: \(problem)"
        case .draining: "ending; a second signal ends at once"
        case .tookTooLong(let member): "\(member) did not end in time; killed"
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

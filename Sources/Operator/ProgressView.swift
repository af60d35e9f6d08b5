internal import FreshetModel

/// Shows how far a job is: one line that is redrawn in a terminal, a plain line per step elsewhere.
final class ProgressView {
    private let console: Console
    private let isSilent: Bool
    private var lastPlain: String?
    private var isLineOpen = false

    init(console: Console, isSilent: Bool) {
        self.console = console
        self.isSilent = isSilent
    }

    func show(_ job: Job) {
        guard !isSilent, !job.state.isEnded else { return }
        if let size = console.size() {
            let line = ProgressLine.text(job, width: size.columns - 1)
            console.write(Array("\r\u{1B}[2K\(line)".utf8))
            isLineOpen = true
        } else {
            let line = ProgressLine.step(job)
            guard line != lastPlain else { return }
            lastPlain = line
            console.print(line)
        }
    }

    /// Clears the line for what is said at the end.
    func end() {
        if isLineOpen { console.write(Array("\r\u{1B}[2K".utf8)) }
        isLineOpen = false
    }
}

/// A job's progress in words, and as a bar.
enum ProgressLine {
    private static let barWidth = 30

    /// For a terminal of `width` columns.
    static func text(_ job: Job, width: Int) -> String {
        let key = job.id.key.text
        var line: String
        switch job.state {
        case .running:
            if let percent = job.progress?.percent {
                line = "\(key)  \(bar(percent))  \(HumanUnits.decimal(percent, digits: 0)) %"
            } else {
                line = "\(key)  running"
                if let duration = job.duration { line += " \(HumanUnits.duration(duration))" }
            }
            if let remaining = job.estimatedRemaining {
                line += "  about \(HumanUnits.duration(remaining)) left"
            }
            if let progress = job.progress { line += "  \(counts(progress))" }
        default: line = step(job)
        }
        return line.withoutControls.shortened(to: width)
    }

    /// One step, coarse enough that a log of them stays short.
    static func step(_ job: Job) -> String {
        let key = job.id.key.text
        switch job.state {
        case .queued:
            guard let position = job.position else {
                return job.isRerun
                    ? "\(key): follows the running refresh"
                    : "\(key): waits" + (job.runAt.map { " until \($0.rfc3339)" } ?? "")
            }
            return "\(key): position \(position) of \(job.queueDepth)"
        case .running:
            let attempt = job.attempt > 1 ? ", attempt \(job.attempt)" : ""
            guard let percent = job.progress?.percent else { return "\(key): running\(attempt)" }
            return "\(key): running\(attempt), \(Int(percent) / 10 * 10) %"
        case .retrying:
            let next = job.runAt.map { ", next at \($0.rfc3339)" } ?? ""
            let error = (job.error ?? "").withoutControls
            return "\(key): attempt \(job.attempt) failed\(next): \(error)"
        case .succeeded, .cancelled, .dead: return "\(key): \(job.state.rawValue)"
        }
    }

    static func bar(_ percent: Double, width: Int = barWidth) -> String {
        let full = min(width, max(0, Int((percent / 100 * Double(width)).rounded())))
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }

    private static func counts(_ progress: Progress) -> String {
        var text = HumanUnits.decimal(progress.done, digits: 1)
        if let total = progress.total { text += "/\(HumanUnits.decimal(total, digits: 1))" }
        if let message = progress.message { text += " \(message)" }
        return text
    }
}

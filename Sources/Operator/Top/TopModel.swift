internal import Coordination
internal import FreshetModel

/// The state of the view: what is selected, what is about to be done. Pure; keys in, commands out.
struct TopModel {
    /// What a key asks of the store.
    enum Command: Equatable, Sendable {
        case setPaused(Bool)
        case cancel(JobID)
        case retry(Key)
        case quit
    }

    private(set) var snapshot: TopSnapshot?
    /// `nil` before they can be told.
    private(set) var rates: TopRates?
    private(set) var selected: JobID?
    /// The last thing said at the foot.
    var message = ""
    /// Why the snapshot is old; `nil` while the store answers.
    var trouble: String?
    private var awaitingYes: Command?
    private var earlier: TopSnapshot?

    mutating func take(_ snapshot: TopSnapshot) {
        // Rates over some seconds: over one tick they would jump about.
        if let earlier, snapshot.now - earlier.now >= .seconds(3) {
            rates = TopRates(from: earlier, to: snapshot)
            self.earlier = snapshot
        } else if earlier == nil {
            earlier = snapshot
        }
        let place = selected.flatMap { id in self.snapshot?.jobs.firstIndex { $0.id == id } } ?? 0
        self.snapshot = snapshot
        trouble = nil
        // When the selected job is gone, the one that took its place in the list is selected.
        let ids = snapshot.jobs.map(\.id)
        if selected.map({ !ids.contains($0) }) ?? true {
            selected = ids.isEmpty ? nil : ids[min(place, ids.count - 1)]
        }
    }

    /// - Parameter bytes: What the terminal sent for a key or several.
    mutating func press(_ bytes: [UInt8]) -> [Command] {
        var commands: [Command] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == 0x1B, rest.count >= 2, rest.first == UInt8(ascii: "[") {
                rest.removeFirst()
                switch rest.removeFirst() {
                case UInt8(ascii: "A"): move(-1)
                case UInt8(ascii: "B"): move(1)
                default: break
                }
            } else if let command = press(Character(Unicode.Scalar(byte))) {
                commands.append(command)
            }
        }
        return commands
    }

    private mutating func press(_ key: Character) -> Command? {
        if let command = awaitingYes {
            awaitingYes = nil
            message = ""
            if key == "y" || key == "Y" { return command }
            if key != "q" { return nil }
        }
        switch key {
        case "q", "\u{4}": return .quit
        case "k": move(-1)
        case "j": move(1)
        case "p": return snapshot.map { .setPaused(!$0.queue.isPaused) }
        case "c":
            guard let job = selectedJob, !job.state.isEnded else {
                message = "select a job that waits or runs"
                return nil
            }
            ask("cancel \(job.id.key)? y", .cancel(job.id))
        case "r":
            guard let job = selectedJob, job.state == .dead else {
                message = "select a dead job"
                return nil
            }
            return .retry(job.id.key)
        default: break
        }
        return nil
    }

    var selectedJob: Job? { snapshot?.jobs.first { $0.id == selected } }

    private mutating func ask(_ question: String, _ command: Command) {
        message = question
        awaitingYes = command
    }

    private mutating func move(_ step: Int) {
        guard let ids = snapshot?.jobs.map(\.id), !ids.isEmpty else { return }
        let index = selected.flatMap { ids.firstIndex(of: $0) } ?? 0
        selected = ids[min(ids.count - 1, max(0, index + step))]
    }
}

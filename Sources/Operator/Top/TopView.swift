internal import Coordination
internal import FreshetModel

/// Draws the view as lines of a given width.
struct TopView {
    private static let keyHints = "p pause  c cancel  r retry  ↑↓ select  q quit"
    private static let barWidth = 16

    var width: Int
    var isColored: Bool

    /// A screen of `rows` lines whose last is the foot; with `nil` all there is, without a foot.
    func lines(_ model: TopModel, rows: Int?) -> [String] {
        guard let snapshot = model.snapshot else { return ["waiting for Redis …"] }
        let head = head(snapshot, model)
        let lists = lists(snapshot)
        let room = rows.map { max(0, $0 - head.count - 1) }
        let layout = TopLayout(rows: room, needs: lists.map(\.lines.count))
        var body = head
        for (index, list) in lists.enumerated() {
            if layout.isAiry { body.append("") }
            let selected = list.jobs.firstIndex { $0.id == model.selected }
            let window = layout.window(index, count: list.lines.count, selected: selected)
            body.append(heading(list, shown: window.count))
            body += window.map { place in
                let isSelected = place == selected
                let line = cut((isSelected ? "> " : "  ") + list.lines[place])
                return style(line, isSelected ? .inverse : list.style)
            }
        }
        guard let rows else { return body }
        let blank = Array(repeating: "", count: max(0, rows - 1 - body.count))
        return Array((body + blank).prefix(max(0, rows - 1))) + [foot(model)]
    }

    /// The keys; what was said or asked goes before them.
    private func foot(_ model: TopModel) -> String {
        let hints =
            model.snapshot?.queue.isPaused == true
            ? Self.keyHints.replacing("pause", with: "resume") : Self.keyHints
        let text = model.message.isEmpty ? hints : "\(model.message)   \(hints)"
        return style(pad(cut(" " + text), width), .inverse)
    }

    // MARK: head

    private func head(_ snapshot: TopSnapshot, _ model: TopModel) -> [String] {
        let queue = snapshot.queue
        var first = "freshet  \(snapshot.now.rfc3339.prefix(19).dropFirst(11))Z  "
        var look = Style.bold
        if let trouble = model.trouble {
            first += "NO ANSWER, this is old: \(trouble)"
            look = .red
        } else if queue.isPaused {
            first += "PAUSED: no worker takes a job"
            look = .yellow
        } else {
            first += queue.workers.isEmpty ? "NO WORKER is alive: jobs wait" : "open"
            if queue.workers.isEmpty { look = .red }
        }
        let capacity = queue.workers.reduce(0) { $0 + $1.capacity }
        var second = "waiting \(HumanUnits.count(queue.waiting))"
        if let oldest = queue.oldestWaiting { second += ", oldest \(calm(oldest))" }
        second += "  running \(queue.running) of \(capacity)"
        second += "  delayed \(HumanUnits.count(queue.delayed))"
        second += "  dead \(HumanUnits.count(queue.dead))"
        return [style(cut(first), look), cut(second), cut(rates(snapshot, model)), classes(queue)]
    }

    private func rates(_ snapshot: TopSnapshot, _ model: TopModel) -> String {
        let rates = model.rates
        var text = "done \(rate(rates?.refreshes))  failed \(rate(rates?.failures))"
        text += "  reads \(rate(rates?.reads))"
        let reads = snapshot.statistics
        let total = reads.hits + reads.staleHits + reads.misses
        if total > 0 {
            let share = Double(reads.hits + reads.staleHits) / Double(total) * 100
            text += "  from memory \(HumanUnits.decimal(share, digits: 1)) %"
        }
        return text
    }

    /// The waiting by priority, each with a bar of its share.
    private func classes(_ queue: QueueStatus) -> String {
        let room = max(4, min(24, (width - 44) / 3))
        let parts = Priority.allCases.map { priority in
            let count = queue.waitingByPriority[priority] ?? 0
            let share = queue.waiting == 0 ? 0 : Double(count) / Double(queue.waiting)
            let filled = count == 0 ? 0 : max(1, Int((share * Double(room)).rounded()))
            let bar = String(repeating: "█", count: filled)
            let text = "\(priority.name) \(HumanUnits.count(count))"
            return pad(filled == 0 ? text : "\(text) \(bar)", room + 11)
        }
        return cut(parts.joined(separator: "  "))
    }

    // MARK: lists

    private struct List {
        var title: String
        var total: Int
        var lines: [String]
        var jobs: [Job] = []
        var style = Style.plain
    }

    private func heading(_ list: List, shown: Int) -> String {
        let count =
            list.total == 0
            ? "none"
            : shown < list.total
                ? "\(shown) of \(HumanUnits.count(list.total))" : HumanUnits.count(list.total)
        return style(cut(list.title), .bold) + style(cut(" " + count), .dim)
    }

    private func lists(_ snapshot: TopSnapshot) -> [List] {
        let queue = snapshot.queue
        let longest = snapshot.jobs.map { $0.id.key.text.count }.max() ?? 0
        let keyWidth = min(max(12, longest), width / 3)
        func list(_ title: String, _ jobs: [Job], _ total: Int, _ text: (Job) -> String) -> List {
            let lines = jobs.map { job in
                "\(pad(job.id.key.text.shortened(to: keyWidth), keyWidth))  \(text(job))"
            }
            return List(
                title: title, total: max(total, jobs.count), lines: lines, jobs: jobs,
                style: jobs.first?.state.style ?? .plain)
        }
        let now = snapshot.now
        var lists = [
            list("RUNNING", snapshot.running, queue.running) { runningLine($0) },
            list("WAITING", snapshot.waiting, queue.waiting) { waitingLine($0, now) },
        ]
        if !snapshot.retrying.isEmpty {
            lists.append(
                list("RETRYING", snapshot.retrying, snapshot.retrying.count) { job in
                    let next = job.runAt.map { "in \(calm($0 - now))" } ?? ""
                    return "\(pad(next, 9))  attempt \(job.attempt) failed  \(job.error ?? "")"
                })
        }
        lists.append(
            list("DEAD", snapshot.dead, queue.dead) { job in
                let ago = job.finishedAt.map { "\(calm(now - $0)) ago" } ?? ""
                return "\(pad(ago, 12))  \(job.error ?? "")"
            })
        let workers = queue.workers.map { workerLine($0, now) }
        lists.append(List(title: "WORKERS", total: workers.count, lines: workers))
        return lists
    }

    private func runningLine(_ job: Job) -> String {
        var text: String
        if let percent = job.progress?.percent {
            let number = HumanUnits.decimal(percent.rounded(.down), digits: 0)
            text = "\(ProgressLine.bar(percent, width: Self.barWidth)) \(lead(number, 3)) %"
        } else {
            text = pad(String(repeating: "·", count: Self.barWidth), Self.barWidth + 6)
        }
        text += "  \(lead(job.duration.map(calm) ?? "", 6))"
        text += "  \(pad(job.estimatedRemaining.map { "\(calm($0)) left" } ?? "", 11))"
        if job.attempt > 1 { text += "  attempt \(job.attempt)" }
        if let message = job.progress?.message { text += "  \(message)" }
        if let worker = job.worker { text += "  @\(worker)" }
        return text
    }

    private func waitingLine(_ job: Job, _ now: Timestamp) -> String {
        var text = "\(lead(job.position.map { "#\($0)" } ?? "-", 6))  \(pad(job.priority.name, 6))"
        text += "  waits \(lead(calm(now - job.id.createdAt), 8))"
        if let remaining = job.estimatedRemaining { text += "  done in \(calm(remaining))" }
        return text
    }

    private func workerLine(_ worker: WorkerPresence, _ now: Timestamp) -> String {
        let places = min(worker.capacity, 16)
        let share = worker.capacity == 0 ? 0 : Double(worker.running) / Double(worker.capacity)
        let busy = min(places, Int((share * Double(places)).rounded(.up)))
        let bar =
            String(repeating: "█", count: busy) + String(repeating: "░", count: places - busy)
        let seen = worker.lastSeen.map { "seen \(calm(now - $0)) ago" } ?? ""
        return "\(worker.id)  \(bar) \(worker.running) of \(worker.capacity)  \(seen)"
            + "  \(worker.version)"
    }

    // MARK: words

    /// A duration in whole seconds: numbers that change without meaning draw the eye.
    private func calm(_ duration: Duration) -> String {
        duration < .seconds(1)
            ? "< 1 s" : HumanUnits.duration(.seconds(duration.milliseconds / 1000))
    }

    private func rate(_ perSecond: Double?) -> String {
        guard let perSecond else { return "-" }
        return "\(HumanUnits.decimal(perSecond, digits: perSecond < 100 ? 1 : 0))/s"
    }

    private func cut(_ text: String) -> String { text.withoutControls.shortened(to: width) }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func lead(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func style(_ text: String, _ style: Style) -> String {
        style.apply(to: text, isColored)
    }
}

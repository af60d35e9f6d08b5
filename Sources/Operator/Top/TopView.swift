internal import Coordination
internal import FreshetModel

/// Draws the view as lines of a given width.
struct TopView {
    var width: Int
    var isColored: Bool

    /// At most `rows` lines; the foot is always the last.
    func lines(_ model: TopModel, rows: Int) -> [String] {
        guard let snapshot = model.snapshot else { return ["waiting for Redis …"] }
        var body = head(snapshot, model.rates)
        body += section("RUNNING", snapshot.running, model) { runningLine($0) }
        body += section("WAITING", snapshot.waiting, model, total: snapshot.queue.waiting) {
            "\(pad($0.position.map(String.init) ?? "-", 5)) \($0.priority.name)"
        }
        body += section("RETRYING", snapshot.retrying, model) { job in
            let next = job.runAt.map { "in \(HumanUnits.duration($0 - snapshot.now))" } ?? ""
            return "attempt \(job.attempt)  next \(next)  \(job.error ?? "")"
        }
        body += section("DEAD", snapshot.dead, model, total: snapshot.queue.dead) { job in
            let ago = job.finishedAt.map { "\(HumanUnits.duration(snapshot.now - $0)) ago" } ?? ""
            return "\(ago)  \(job.error ?? "")"
        }
        body += workers(snapshot)
        let foot = style(
            cut(
                "p \(snapshot.queue.isPaused ? "resume" : "pause")  c cancel  r retry  ↑↓ select  "
                    + "q quit   \(model.message)"), .inverse)
        return Array(body.prefix(max(1, rows - 1))) + [foot]
    }

    private func head(_ snapshot: TopSnapshot, _ rates: TopRates) -> [String] {
        let queue = snapshot.queue
        let capacity = queue.workers.reduce(0) { $0 + $1.capacity }
        let classes = Priority.allCases.map { "\($0.name) \(queue.waitingByPriority[$0] ?? 0)" }
        var first = "freshet \(snapshot.now.rfc3339)   queue "
        first += queue.isPaused ? "PAUSED" : "open"
        var second =
            "waiting \(HumanUnits.count(queue.waiting)) (\(classes.joined(separator: ", ")))"
        if let oldest = queue.oldestWaiting {
            second += ", oldest \(HumanUnits.duration(oldest))"
        }
        second += "   running \(queue.running) of \(capacity)   delayed \(queue.delayed)"
        second += "   dead \(queue.dead)"
        let reads = snapshot.statistics
        let total = reads.hits + reads.staleHits + reads.misses
        var third = "jobs \(rate(queue.completedPerSecond))   refreshed \(rate(rates.refreshes))"
        third += "   failed \(rate(rates.failures))   reads \(rate(rates.reads))"
        if total > 0 {
            let share = Double(reads.hits + reads.staleHits) / Double(total) * 100
            third += ", \(HumanUnits.decimal(share, digits: 1)) % from the cache"
        }
        return [style(cut(first), queue.isPaused ? .yellow : .bold), cut(second), cut(third)]
    }

    private func section(
        _ title: String, _ jobs: [Job], _ model: TopModel, total: Int? = nil,
        _ text: (Job) -> String
    ) -> [String] {
        guard !jobs.isEmpty else { return [] }
        let count = total.map { $0 > jobs.count ? " \(jobs.count) of \($0)" : " \($0)" } ?? ""
        let keyWidth = min(max(12, jobs.map { $0.id.key.text.count }.max() ?? 0), width / 3)
        let heading = ["", style(cut("\(title)\(count)"), .bold)]
        return heading
            + jobs.map { job in
                let mark = job.id == model.selected ? ">" : " "
                let key = pad(job.id.key.text.shortened(to: keyWidth), keyWidth)
                let line = cut("\(mark) \(key)  \(text(job))")
                return style(line, job.id == model.selected ? .inverse : job.state.style)
            }
    }

    private func runningLine(_ job: Job) -> String {
        var text: String
        if let percent = job.progress?.percent {
            text =
                "\(ProgressLine.bar(percent, width: 20)) \(HumanUnits.decimal(percent, digits: 0)) %"
        } else {
            text = String(repeating: "·", count: 20)
        }
        if let duration = job.duration { text += "  \(HumanUnits.duration(duration))" }
        if let remaining = job.estimatedRemaining {
            text += "  \(HumanUnits.duration(remaining)) left"
        }
        if job.attempt > 1 { text += "  attempt \(job.attempt)" }
        if let message = job.progress?.message { text += "  \(message)" }
        if let worker = job.worker { text += "  @\(worker)" }
        return text
    }

    private func workers(_ snapshot: TopSnapshot) -> [String] {
        guard !snapshot.queue.workers.isEmpty else {
            return ["", style("no worker is alive", .red)]
        }
        var lines = ["", style("WORKERS", .bold)]
        for worker in snapshot.queue.workers {
            let seen = worker.lastSeen.map { "seen \(HumanUnits.duration(snapshot.now - $0)) ago" }
            lines.append(
                cut(
                    "  \(worker.id)  \(worker.running) of \(worker.capacity)  \(seen ?? "")"
                        + "  \(worker.version)"))
        }
        return lines
    }

    private func rate(_ perSecond: Double) -> String {
        "\(HumanUnits.decimal(perSecond, digits: perSecond < 100 ? 1 : 0))/s"
    }

    private func cut(_ text: String) -> String { text.withoutControls.shortened(to: width) }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func style(_ text: String, _ style: Style) -> String {
        style.apply(to: text, isColored)
    }
}

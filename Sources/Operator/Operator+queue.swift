internal import Codecs
internal import Coordination
internal import FreshetModel
internal import Representation

extension Operator {
    /// What `freshet queue` is to do before it shows the queue.
    package enum QueueChange: Sendable {
        case none
        case pause
        case resume
    }

    /// `freshet queue`.
    package func queue(_ change: QueueChange, json: Bool) async throws(OperatorError) {
        switch change {
        case .none: break
        case .pause, .resume:
            try await call { store throws(RefreshError) in
                try await store.setPaused(change == .pause)
            }
        }
        let queue = try await call { store throws(RefreshError) in try await store.queue() }
        if json { return printJSON { $0.queue(queue) } }
        let classes = Priority.allCases.map { "\($0.name) \(queue.waitingByPriority[$0] ?? 0)" }
        var rows: [(String, TextTable.Cell)] = [
            ("queue", queue.isPaused ? .init("paused", .yellow) : .init("open", .green)),
            ("waiting", .init("\(queue.waiting) (\(classes.joined(separator: ", ")))")),
            ("running", .init(queue.running)), ("delayed", .init(queue.delayed)),
            ("dead", .init("\(queue.dead)", queue.dead > 0 ? .red : .plain)),
            ("completed", .init("\(HumanUnits.decimal(queue.completedPerSecond, digits: 1))/s")),
        ]
        if let oldest = queue.oldestWaiting {
            rows.append(("oldest waits", .init(HumanUnits.duration(oldest))))
        }
        console.print(details: rows)
        var table = TextTable([
            .init(title: "WORKER"), .init(title: "RUNNING", isNumber: true),
            .init(title: "CAPACITY", isNumber: true), .init(title: "LAST SEEN"),
            .init(title: "VERSION"),
        ])
        for worker in queue.workers {
            table.add([
                .init(worker.id), .init(worker.running), .init(worker.capacity),
                .init(worker.lastSeen?.rfc3339 ?? "-"), .init(worker.version),
            ])
        }
        console.print("")
        console.print(table, ifEmpty: "no worker is alive")
    }
}

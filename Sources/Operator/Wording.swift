internal import Codecs
internal import Coordination
internal import FreshetModel
internal import Representation

extension Console {
    /// Names and values, one pair a line.
    func print(details rows: [(String, TextTable.Cell)]) {
        let width = rows.map(\.0.count).max() ?? 0
        for (name, cell) in rows {
            let label = name + String(repeating: " ", count: width - name.count)
            print(
                Style.dim.apply(to: label, isColored) + "  "
                    + cell.style.apply(to: cell.text, isColored))
        }
    }
}

extension Progress {
    /// `40 of 100 (40 %) page 4`.
    var line: String {
        var text = HumanUnits.decimal(done, digits: 1)
        if let total { text += " of \(HumanUnits.decimal(total, digits: 1))" }
        if let percent { text += " (\(HumanUnits.decimal(percent, digits: 0)) %)" }
        if let message { text += " " + message }
        return text
    }
}

extension RefreshState {
    var style: Style {
        switch self {
        case .idle: .plain
        case .queued: .cyan
        case .running: .green
        case .retrying: .yellow
        case .failed: .red
        }
    }
}

extension JobState {
    var style: Style {
        switch self {
        case .queued: .cyan
        case .running: .green
        case .retrying: .yellow
        case .succeeded: .plain
        case .cancelled: .dim
        case .dead: .red
        }
    }
}

extension RequestOutcome {
    var receipt: RefreshReceipt? {
        if case .accepted(let receipt) = self { return receipt }
        return nil
    }

    /// Why there is no job, in words.
    var refusal: String {
        switch self {
        case .accepted: "accepted"
        case .queueFull(let waiting): "the queue is full, \(waiting) keys wait"
        case .notNeeded(let version): "version \(version) is kept already"
        case .coolingDown(_, let error): "failed just before: \(error)"
        }
    }
}

extension JSONText {
    /// A listing as the HTTP API shapes it; there is no further page.
    mutating func page<Element>(
        _ items: [Element], _ body: (inout JSONText, Element) -> Void
    ) {
        object { json in
            json.member("items", items, body)
            json.null("next_cursor")
        }
    }

    /// One item of a bulk request.
    mutating func outcome(_ outcome: RequestOutcome, of key: Key, durability: Durability?) {
        object { json in
            if case .accepted(let receipt) = outcome {
                json.members(of: receipt, durability: durability)
            } else {
                json.member("key", key.text)
                json.member("error") {
                    $0.member("code", "queue_full")
                    $0.member("detail", outcome.refusal)
                }
            }
        }
    }
}

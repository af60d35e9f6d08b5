internal import FreshetModel

/// Entries of the event log, as scripts write them.
///
///     EPOCH-SEQUENCE \n NOW \n LINE \n LINE …          (pub/sub; in the stream the id is apart)
///     LINE = type \t key \t run \t version \t attempt, of `queued` position \t run_at \t JSON
///
/// Empty columns are absent. A line this version cannot read is skipped, so that a newer process
/// may add types.
struct EventEntry {
    var epoch: Int64
    var sequence: Int64
    var events: [RefreshEvent]

    private struct Rest: Decodable {
        var error: String?
        var renewal: Bool?
    }

    /// Reads a published message; `nil` when it is not one of ours.
    init?(message: String, partition: Int) {
        guard let newline = message.firstIndex(of: "\n") else { return nil }
        self.init(
            id: String(message[..<newline]),
            body: String(message[message.index(after: newline)...]), partition: partition)
    }

    /// Reads a stream entry.
    init?(id: String, body: String, partition: Int) {
        let parts = id.split(separator: "-")
        guard parts.count == 2, let epoch = Int64(parts[0]), let sequence = Int64(parts[1]) else {
            return nil
        }
        let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
        guard let now = lines.first.flatMap({ Int64($0) }) else { return nil }
        self.epoch = epoch
        self.sequence = sequence
        events = []
        for (index, line) in lines.dropFirst().enumerated() {
            let id = EventID(
                partition: partition, epoch: epoch, sequence: sequence, index: index)
            if let event = Self.event(line, id: id, at: Timestamp(milliseconds: now)) {
                events.append(event)
            }
        }
    }

    private static func event(
        _ line: Substring, id: EventID, at: Timestamp
    ) -> RefreshEvent? {
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard columns.count >= 4, let kind = RefreshEvent.Kind(rawValue: String(columns[0])),
            let key = Key(String(columns[1])), let version = Int64(columns[3])
        else { return nil }
        let jobID = Int64(columns[2]).map { JobID(run: $0, key: key) }
        var event = RefreshEvent(
            id: id, kind: kind, key: key, jobID: jobID, version: version, at: at)
        if columns.count > 4 {
            if kind == .queued {
                event.position = Int(columns[4])
            } else {
                event.attempt = Int(columns[4])
            }
        }
        if columns.count > 5 {
            event.runAt = Int64(columns[5]).map { Timestamp(milliseconds: $0) }
        }
        guard columns.count > 6, !columns[6].isEmpty else { return event }
        let rest = String(columns[6])
        if kind == .progress {
            event.progress = ProgressCoding.decode(rest)
        } else if let decoded = JSONText.decode(Rest.self, rest) {
            event.error = decoded.error
            event.isRenewal = decoded.renewal ?? false
        }
        return event
    }
}

internal import FreshetModel

/// Where a client of a stream stands: the id of an SSE event.
///
/// A stream of one key, or over one partition, needs one `EventID` and shows it as it is. A stream
/// over several partitions needs one for each, or a client that comes back would miss those of the
/// others. All ids of an event then travel together, in base 36 with epochs as differences, so that
/// 256 partitions stay below 4 KiB:
///
///     m~EPOCH~0.DIFFERENCE.SEQUENCE.INDEX~2.DIFFERENCE.SEQUENCE.INDEX
struct StreamPosition: Equatable {
    /// The latest event seen of each partition.
    private(set) var latest: [Int: EventID] = [:]

    private static let separator: Character = "~"

    /// Nothing seen.
    init() {}

    /// What was seen up to `ids`.
    init(_ ids: [EventID]) { for id in ids { advance(to: id) } }

    /// Reads `Last-Event-ID`; `nil` when it is none of ours.
    init?(_ text: String) {
        guard text.hasPrefix("m~") else {
            guard let id = EventID(text) else { return nil }
            latest[id.partition] = id
            return
        }
        let parts = text.split(separator: Self.separator, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts.count <= 258, let base = Int64(parts[1], radix: 36) else {
            return nil
        }
        for part in parts.dropFirst(2) {
            let numbers = part.split(separator: ".", omittingEmptySubsequences: false)
                .map { Int64($0, radix: 36) }
            guard numbers.count == 4, let partition = numbers[0], let difference = numbers[1],
                let sequence = numbers[2], let index = numbers[3],
                (0...65_535).contains(partition), difference >= 0, difference <= base,
                sequence >= 0, index >= 0
            else { return nil }
            latest[Int(partition)] = EventID(
                partition: Int(partition), epoch: base - difference, sequence: sequence,
                index: Int(index))
        }
    }

    /// Notes that `id` was seen.
    mutating func advance(to id: EventID) {
        if let seen = latest[id.partition], seen >= id { return }
        latest[id.partition] = id
    }

    /// Whether `id` was seen.
    func covers(_ id: EventID) -> Bool { latest[id.partition].map { $0 >= id } ?? false }

    /// As an SSE id for a stream over `partitions` partitions.
    func text(partitions: Int) -> String {
        if partitions == 1, let only = latest.values.first { return only.description }
        let base = latest.values.map(\.epoch).max() ?? 0
        let parts = latest.values.sorted().map { id in
            [Int64(id.partition), base - id.epoch, id.sequence, Int64(id.index)]
                .map { String($0, radix: 36) }.joined(separator: ".")
        }
        return (["m", String(base, radix: 36)] + parts).joined(separator: String(Self.separator))
    }
}

internal import FreshetModel

/// A key's record as its hash holds it: field names and values.
///
/// Values come from outside the process, so a field that is garbage reads as absent; an unknown
/// field (a newer format) is ignored.
struct Record {
    private(set) var fields: [String: String] = [:]

    /// Reads field and value in turn, as HGETALL returns them.
    init(flat: [String]) {
        fields.reserveCapacity(flat.count / 2)
        var index = 0
        while index + 1 < flat.count {
            fields[flat[index]] = flat[index + 1]
            index += 2
        }
    }

    func text(_ name: String) -> String? { fields[name] }

    func integer(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }

    func time(_ name: String) -> Timestamp? { integer(name).map { Timestamp(milliseconds: $0) } }

    var version: Int64 { integer("v") ?? 0 }

    /// The kept payload's metadata; `nil` when nothing is kept, or not any more at `now`.
    func payload(at now: Timestamp) -> PayloadMetadata? {
        guard let refreshed = time("at"), version > 0 else { return nil }
        var facts = PayloadFacts()
        facts.sizeBytes = Int(integer("sz") ?? 0)
        facts.itemCount = integer("ic").map { Int($0) }
        facts.collectionsCount = integer("cc").map { Int($0) }
        facts.fileCount = integer("fc").map { Int($0) }
        facts.contentTag = text("tag") ?? ""
        facts.sourceETag = text("se")
        facts.sourceLastModified = text("sm")
        let metadata = PayloadMetadata(
            version: version, contentType: text("ct") ?? "application/octet-stream",
            encoding: text("enc").flatMap { PayloadEncoding(rawValue: $0) } ?? .identity,
            storedBytes: Int(integer("sb") ?? 0), facts: facts, refreshedAt: refreshed,
            modifiedAt: time("mod") ?? refreshed, freshUntil: time("fu"), keptUntil: time("ku"))
        return metadata.isKept(at: now) ? metadata : nil
    }

    /// `idle` for a state this version does not know.
    var state: RefreshState {
        switch text("st") {
        case "q", "d": .queued
        case "t": .retrying
        case "r": .running
        case "f": .failed
        default: .idle
        }
    }

    var progress: Progress? { text("pg").flatMap { ProgressCoding.decode($0) } }

    var scope: RefreshScope {
        text("scope").flatMap { ScopeCoding.decode($0) } ?? .all
    }

    var priority: Priority {
        if let noted = integer("pr").flatMap({ Priority(rawValue: Int($0)) }) { return noted }
        return fields["sc"].flatMap { Double($0) }.map { Self.priority(score: $0) } ?? .normal
    }

    /// 2^44: scores of one class lie this far apart.
    static let classWidth = 17_592_186_044_416.0

    static func priority(score: Double) -> Priority {
        Priority(rawValue: min(2, max(0, Int(score / classWidth)))) ?? .normal
    }
}

/// Which partition a worker claims from next, so that none waits behind a busy one.
///
/// Each round begins one partition further. A slot that claims its next job together with its
/// publication stays in its partition, at most `chainLimit` times where there are others.
struct PartitionRotation {
    static let chainLimit = 8

    let count: Int
    private var first = 0

    init(count: Int) {
        precondition(count > 0, "a store has at least one partition")
        self.count = count
    }

    /// The partitions in the order of the next round.
    mutating func round() -> [Int] {
        defer { first = (first + 1) % count }
        return (0..<count).map { (first + $0) % count }
    }

    /// Whether a slot that ran `jobs` in a row from one partition may claim there again.
    static func mayChain(after jobs: Int, partitions: Int) -> Bool {
        partitions == 1 || jobs < chainLimit
    }
}

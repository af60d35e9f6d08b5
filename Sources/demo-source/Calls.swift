/// What this source was asked for since it began, for who wants to see that it is asked seldom.
struct Calls {
    /// Targets told apart; more are counted as one, so that no caller fills the memory.
    private static let maximumTargets = 10_000

    private var counts: [String: Int] = [:]
    private var running = 0
    private var mostRunning = 0

    /// Notes a call; returns how many there were of its target, this one included.
    mutating func begin(_ called: String) -> Int {
        let isKnown = counts[called] != nil || counts.count < Self.maximumTargets
        let target = isKnown ? called : "others"
        counts[target, default: 0] += 1
        running += 1
        mostRunning = max(mostRunning, running)
        return counts[target, default: 0]
    }

    mutating func end() { running -= 1 }

    func json() -> String {
        let items = counts.keys.sorted().map { target in
            let text = target.filter { $0.isASCII && $0 != "\"" && $0 != "\\" && $0 >= " " }
            return #""\#(text)": \#(counts[target, default: 0])"#
        }
        return """
            {"total": \(counts.values.reduce(0, +)), "most_at_once": \(mostRunning), \
            "targets": {\(items.joined(separator: ", "))}}

            """
    }
}

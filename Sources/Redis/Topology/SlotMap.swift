/// Which master has which slots.
struct SlotMap: Equatable {
    private var owners = [UInt16](repeating: .max, count: HashSlot.count)
    private(set) var masters: [RedisEndpoint] = []

    /// Reads the answer to CLUSTER SLOTS; `asked` stands for a host that the node does not know.
    ///
    ///     [[first, last, [host, port, id, …], [replica…]…]…]
    init?(_ reply: RedisValue, asked: RedisEndpoint) {
        guard let ranges = reply.array else { return nil }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].int,
                let last = parts[1].int, first >= 0, last < HashSlot.count, first <= last,
                let node = parts[2].array, node.count >= 2, let port = node[1].int,
                (1...65_535).contains(port)
            else { return nil }
            let host = node[0].text ?? ""
            guard let endpoint = Self.endpoint(host, Int(port), asked) else { return nil }
            for slot in first...last { assign(Int(slot), to: endpoint) }
        }
        guard !masters.isEmpty else { return nil }
    }

    func master(of slot: Int) -> RedisEndpoint? {
        let owner = owners[slot]
        return owner == .max ? nil : masters[Int(owner)]
    }

    mutating func assign(_ slot: Int, to endpoint: RedisEndpoint) {
        if let index = masters.firstIndex(of: endpoint) {
            owners[slot] = UInt16(index)
        } else {
            owners[slot] = UInt16(masters.count)
            masters.append(endpoint)
        }
    }

    private static func endpoint(
        _ host: String, _ port: Int, _ asked: RedisEndpoint
    ) -> RedisEndpoint? {
        if !host.isEmpty, host != "?" { return .tcp(host: host, port: port) }
        guard case .tcp(let askedHost, _) = asked else { return nil }
        return .tcp(host: askedHost, port: port)
    }
}

/// `MOVED 3999 127.0.0.1:6381` and `ASK 3999 127.0.0.1:6381`.
struct Redirection: Equatable {
    let slot: Int
    let endpoint: RedisEndpoint

    /// nil when the error is no redirection; `asked` stands for a host that is left out.
    init?(_ error: RedisError, asked: RedisEndpoint) {
        guard error.code == .moved || error.code == .ask else { return nil }
        let words = error.message.split(separator: " ")
        guard words.count >= 3, let slot = Int(words[words.count - 2]),
            (0..<HashSlot.count).contains(slot),
            let colon = words[words.count - 1].lastIndex(of: ":"),
            let port = Int(words[words.count - 1][colon...].dropFirst()),
            (1...65_535).contains(port)
        else { return nil }
        let host = words[words.count - 1][..<colon]
        self.slot = slot
        if !host.isEmpty {
            endpoint = .tcp(host: String(host), port: port)
        } else if case .tcp(let askedHost, _) = asked {
            endpoint = .tcp(host: askedHost, port: port)
        } else {
            return nil
        }
    }
}

internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// The dead jobs, and their second chance.
struct DeadHandler {
    private static let batch = 100

    let store: any RefreshStore
    let resolver: KeyResolver
    let asks: AskHandler
    let receipts: ReceiptAnswer

    /// Which dead jobs to retry: the body of `POST /v1/dead/retry`.
    enum Selection: Equatable {
        case all
        case ids([String])

        init(_ bytes: [UInt8]) throws(Problem) {
            var ids: [String]?
            var all: Bool?
            var fault: String?
            try JSONBody.read(bytes) { name, reader throws(JSONError) in
                switch name {
                case "ids":
                    ids = try JSONBody.strings(&reader)
                    if !(1...Limits.bulkKeys).contains(ids?.count ?? 0) {
                        fault = fault ?? "`ids` is an array of 1 to \(Limits.bulkKeys) texts"
                    }
                case "all":
                    all = try reader.readBoolean()
                    if all == nil { fault = fault ?? "`all` is true or false" }
                default:
                    fault = fault ?? "there is no member `\(name.shortened)`"
                    try reader.skip()
                }
            }
            if let fault { throw RefreshBody.invalid(fault) }
            switch (ids, all) {
            case (let ids?, nil), (let ids?, false?): self = .ids(ids)
            case (nil, true?): self = .all
            default: throw RefreshBody.invalid("either `ids` or `all` with true is needed")
            }
        }
    }

    /// `POST /v1/dead/retry`.
    func retry(_ selection: Selection, caller: Caller) async throws(Problem) -> HTTPReply {
        var items: [AskHandler.Item] = []
        switch selection {
        case .ids(let texts): items = try await selected(texts, caller)
        case .all:
            for job in try await allDead() { items.append(item(job, caller)) }
        }
        return try await asks.answer(items)
    }

    private func allDead() async throws(Problem) -> [JobID] {
        var dead: [JobID] = []
        var cursor: String?
        do {
            repeat {
                let page = try await store.jobs(states: [.dead], cursor: cursor, limit: 1000)
                dead += page.items.map(\.id)
                cursor = page.nextCursor
            } while cursor != nil
        } catch {
            throw Problem(error)
        }
        return dead
    }

    private func selected(
        _ texts: [String], _ caller: Caller
    ) async throws(Problem) -> [AskHandler.Item] {
        var items: [AskHandler.Item] = []
        var start = 0
        while start < texts.count {
            let slice = Array(texts[start..<min(start + Self.batch, texts.count)])
            start += slice.count
            let ids = slice.map { JobID($0) }
            let known = ids.compactMap { $0 }
            let statuses: [KeyStatus]
            do {
                statuses = known.isEmpty ? [] : try await store.statuses(known.map(\.key))
            } catch {
                throw Problem(error)
            }
            let dead = Set(
                statuses.compactMap { $0.state == .failed ? $0.job?.id : nil })
            for (text, id) in zip(slice, ids) {
                if let id, dead.contains(id) {
                    items.append(item(id, caller))
                } else {
                    items.append(
                        .fault(
                            key: id?.key.text ?? text.shortened,
                            .notFound("not_dead", "`\(text.shortened)` is no dead job.")))
                }
            }
        }
        return items
    }

    private func item(_ id: JobID, _ caller: Caller) -> AskHandler.Item {
        do throws(Problem) {
            let (resource, key) = try resolver.resolve(text: id.key.text)
            try caller.demand(resource.name)
            return .request(receipts.request(key, resource))
        } catch {
            return .fault(key: id.key.text, error)
        }
    }
}

internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation
internal import Runtime

/// What asks for refreshes: of one key, of many, of dead jobs; and what expires and purges.
final class AskHandler {
    /// Keys handled before the loop turns to others.
    private static let slice = 250

    private let store: any RefreshStore
    private let resolver: KeyResolver
    private let table: KeyTable
    private let asker: RefreshAsker
    private let time: StoreTime
    private let receipts: ReceiptAnswer
    private let keepJobs: Duration

    init(
        store: any RefreshStore, resolver: KeyResolver, table: KeyTable, asker: RefreshAsker,
        time: StoreTime, receipts: ReceiptAnswer, keepJobs: Duration
    ) {
        self.store = store
        self.resolver = resolver
        self.table = table
        self.asker = asker
        self.time = time
        self.receipts = receipts
        self.keepJobs = keepJobs
    }

    /// `POST …/refresh` and `POST …/expire`.
    func refresh(
        _ key: Key, _ resource: Resource, _ body: RefreshBody, traceparent: String?,
        requestID: String, expires: Bool
    ) async throws(Problem) -> HTTPReply {
        let request = request(key, resource, body, traceparent)
        do {
            let outcome =
                expires ? try await store.expire(request) : try await store.request(request)
            // The event says the same; who reads its own write must not depend on which comes first.
            if expires, case .accepted = outcome {
                table.find(key)?.copy?.expire(at: time.now())
            }
            note(outcome)
            if case .accepted(let receipt) = outcome {
                Log.info(
                    "refresh.asked",
                    [
                        "job": receipt.job.id, "key": key, "status": receipt.status.rawValue,
                        "request": requestID, "trace": traceparent,
                    ])
            }
            return try receipts.answer(outcome)
        } catch let error as RefreshError {
            throw Problem(error)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(500, "internal", "The refresh could not be asked for.")
        }
    }

    private func request(
        _ key: Key, _ resource: Resource, _ body: RefreshBody, _ traceparent: String?
    ) -> RefreshRequest {
        var request = receipts.request(key, resource)
        request.priority = body.priority ?? resource.priority
        request.delay = body.delay
        request.force = body.force
        request.scope = body.scope
        request.traceparent = traceparent
        request.seenVersion = table.find(key)?.copy?.metadata.version
        return request
    }

    private func note(_ outcome: RequestOutcome) {
        switch outcome {
        case .accepted(let receipt):
            asker.noteDepth(receipt)
            if let entry = table.find(receipt.job.id.key) { asker.accepted(receipt, entry) }
        case .queueFull: asker.queueIsFull()
        case .notNeeded, .coolingDown: break
        }
    }

    /// `DELETE /v1/resources/{key}`.
    func purge(_ key: Key) async throws(Problem) -> HTTPReply {
        do {
            try await store.purge(key, keepJobs: keepJobs)
        } catch {
            throw Problem(error)
        }
        if let entry = table.find(key) {
            table.install(nil, in: entry)
            if entry.isLoading { entry.mustLoadAgain = true }
            table.release(entry)
        }
        return .response(HTTPResponse(status: 204))
    }

    // MARK: many

    /// One of many that are asked for.
    enum Item {
        case request(RefreshRequest)
        case fault(key: String, Problem)
    }

    /// `POST /v1/refresh`.
    func refreshMany(
        _ keys: [String], _ body: RefreshBody, caller: Caller, traceparent: String?
    ) async throws(Problem) -> HTTPReply {
        var items: [Item] = []
        items.reserveCapacity(keys.count)
        for (index, text) in keys.enumerated() {
            if index % Self.slice == Self.slice - 1 { await Task.yield() }
            do throws(Problem) {
                let (resource, key) = try resolver.resolve(text: text)
                try caller.demand(resource.name)
                items.append(.request(request(key, resource, body, traceparent)))
            } catch {
                items.append(.fault(key: text.shortened, error))
            }
        }
        return try await answer(items)
    }

    /// Asks for all that can be asked for and answers 202 with an item for each.
    func answer(_ items: [Item]) async throws(Problem) -> HTTPReply {
        var json = JSONText(capacity: items.count * 256 + 64)
        var start = 0
        var bodies: [[UInt8]] = []
        while start < items.count {
            let end = min(start + Self.slice, items.count)
            bodies.append(try await answers(Array(items[start..<end]), isFirst: start == 0))
            start = end
        }
        json.object {
            $0.name("items")
            $0.raw(
                Array("[".utf8) + Array(bodies.joined(separator: [UInt8(ascii: ",")]))
                    + Array("]".utf8))
        }
        return JSONAnswer.text(status: 202, json.bytes)
    }

    private func answers(_ items: [Item], isFirst: Bool) async throws(Problem) -> [UInt8] {
        let requests = items.compactMap { item -> RefreshRequest? in
            if case .request(let request) = item { request } else { nil }
        }
        var outcomes: [RequestOutcome] = []
        var failure: RefreshError?
        do {
            if !requests.isEmpty { outcomes = try await store.requestMany(requests) }
        } catch {
            // What was asked for before is queued, and its answers are owed.
            if isFirst { throw Problem(error) }
            failure = error
        }
        var rest = outcomes.makeIterator()
        var json = JSONText(capacity: items.count * 256)
        json.array {
            for item in items {
                switch item {
                case .fault(let key, let problem): write(problem, key, to: &$0)
                case .request(let request):
                    if let failure {
                        write(Problem(failure), request.key.text, to: &$0)
                    } else if let outcome = rest.next() {
                        note(outcome)
                        write(outcome, request.key, to: &$0)
                    }
                }
            }
        }
        return Array(json.bytes.dropFirst().dropLast())
    }

    private func write(_ outcome: RequestOutcome, _ key: Key, to json: inout JSONText) {
        switch outcome {
        case .accepted(let receipt):
            json.object { $0.members(of: receipt, durability: receipts.durability()) }
        case .queueFull(let waiting): write(.queueFull(waiting: waiting), key.text, to: &json)
        case .notNeeded, .coolingDown:
            write(
                Problem(503, "corrupt_data", "The store refused an asking."), key.text, to: &json)
        }
    }

    private func write(_ problem: Problem, _ key: String, to json: inout JSONText) {
        json.object {
            $0.member("key", key)
            $0.member("error") {
                $0.member("code", problem.code)
                $0.member("detail", problem.detail)
            }
        }
    }
}

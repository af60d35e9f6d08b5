internal import FreshetModel
internal import HTTPServer

/// Open event streams by who opened them: a key of the API, or an address where there are no keys.
///
/// Each may have so many, so that one client cannot take the places of all. And those of a key that a
/// reload took away end: an open stream is no way to keep a right.
final class StreamShares {
    private final class Entry {
        let caller: Caller
        let stream: EventStream
        init(_ caller: Caller, _ stream: EventStream) {
            self.caller = caller
            self.stream = stream
        }
    }

    private let perClient: Int
    private let admission: Admission
    private var open: [String: [ObjectIdentifier: Entry]] = [:]

    /// - Parameter perClient: Streams one client may have; 0: any number.
    init(perClient: Int, admission: Admission) {
        self.perClient = perClient
        self.admission = admission
    }

    /// What `make` answers, when the caller may have one more stream.
    /// - Throws: 429.
    func take(
        _ caller: Caller, _ request: HTTPRequest, _ make: () throws(Problem) -> HTTPReply
    ) throws(Problem) -> HTTPReply {
        let who = caller.name ?? request.remoteAddress
        if let problem = problem(who) { throw problem }
        switch try make() {
        case .stream(let stream): return note(stream, caller, who, request.requestID)
        case .task(let body):
            let requestID = request.requestID
            return .task { request in
                let reply = await body(request)
                guard case .stream(let stream) = reply else { return reply }
                return self.note(stream, caller, who, requestID)
            }
        case let other: return other
        }
    }

    /// Ends the streams of callers who would not be let in with the same rights any more.
    func endRevoked() {
        for entries in open.values {
            for entry in entries.values where !admission.stillAdmits(entry.caller) {
                entry.stream.finish()
            }
        }
    }

    private func note(
        _ stream: EventStream, _ caller: Caller, _ who: String, _ requestID: String
    ) -> HTTPReply {
        // Others of the same caller may have been opened while this one was prepared.
        if let problem = problem(who) {
            stream.close()
            return .response(problem.response(requestID: requestID))
        }
        let id = ObjectIdentifier(stream)
        open[who, default: [:]][id] = Entry(caller, stream)
        if !admission.stillAdmits(caller) { stream.finish() }
        stream.addCloseHook { [unowned self] in
            open[who]?[id] = nil
            if open[who]?.isEmpty == true { open[who] = nil }
        }
        return .stream(stream)
    }

    private func problem(_ who: String) -> Problem? {
        guard perClient > 0, open[who]?.count ?? 0 >= perClient else { return nil }
        var problem = Problem(
            429, "too_many_streams", "The caller has \(perClient) event streams open already.")
        problem.retryAfter = 5
        return problem
    }
}

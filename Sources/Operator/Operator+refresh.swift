internal import Codecs
internal import Coordination
internal import FreshetModel
internal import Representation

extension Operator {
    /// What `freshet refresh` was asked.
    package struct RefreshCall: Sendable {
        package var key: String
        package var wait = false
        package var force = false
        package var scope: [String] = []
        package var json = false

        package init(key: String) { self.key = key }
    }

    /// `freshet refresh`. With `wait` it returns when the job has succeeded and throws when it ended
    /// in any other way.
    package func refresh(_ call: RefreshCall) async throws(OperatorError) {
        let (key, resource) = try key(call.key)
        var request = RefreshRequest(key: key, priority: resource?.priority ?? .normal)
        request.force = call.force
        request.scope = try scope(call.scope)
        request.maximumQueue = (settings?.refresh ?? RefreshSettings()).maximumQueue
        let asked = request
        // The feed first, so that nothing happens between asking and listening.
        let feed = call.wait ? store.feed() : nil
        let outcome = try await self.call { store throws(RefreshError) in
            try await store.request(asked)
        }
        guard let receipt = outcome.receipt else { throw .failed("\(key): \(outcome.refusal)") }
        guard let feed else { return print(receipt, json: call.json) }

        let watch = JobWatch(
            store: store, id: receipt.job.id,
            maximumAttempts: resource?.retry.maximumAttempts)
        let view = ProgressView(console: console, isSilent: call.json)
        let job = try await watch.run(feed) { view.show($0) }
        view.end()
        if call.json {
            printJSON { json in
                json.object {
                    $0.members(of: job, maximumAttempts: resource?.retry.maximumAttempts)
                }
            }
        }
        let took = job.duration.map { " after \(HumanUnits.duration($0))" } ?? ""
        switch job.state {
        case .succeeded:
            let version = job.version.map { "version \($0)" } ?? "refreshed"
            if !call.json { console.print("\(key): \(version)\(took)") }
        case .cancelled: throw .failed("\(key): cancelled")
        default: throw .failed("\(key): failed\(took): \(job.error ?? "no reason given")")
        }
    }

    private func scope(_ parts: [String]) throws(OperatorError) -> RefreshScope {
        for part in parts where part.isEmpty || part.utf8.count > Limits.scopePartLength {
            throw .malformed("a scope part has 1 to \(Limits.scopePartLength) bytes")
        }
        return RefreshScope(parts)
    }

    private func print(_ receipt: RefreshReceipt, json: Bool) {
        if json {
            return printJSON { json in
                json.object { $0.members(of: receipt, durability: durability) }
            }
        }
        let job = receipt.job
        var text = "\(receipt.status.rawValue) \(job.id)"
        if let position = job.position, position > 0 {
            text += ", position \(position) of \(job.queueDepth)"
        }
        if let duration = receipt.runningFor {
            text += ", running for \(HumanUnits.duration(duration))"
        }
        if let remaining = job.estimatedRemaining {
            text += ", ends in about \(HumanUnits.duration(remaining))"
        }
        console.print(text)
    }
}

internal import Codecs
internal import Coordination
internal import FreshetModel
internal import HTTPServer
internal import Representation

/// Answers to askings for refreshes, contract section 4.2.
struct ReceiptAnswer {
    let maximumQueue: Int
    let durability: @Sendable () -> Durability

    /// A plain ask for `key`.
    func request(_ key: Key, _ resource: Resource) -> RefreshRequest {
        var request = RefreshRequest(key: key, origin: .ask, priority: resource.priority)
        request.maximumQueue = maximumQueue
        return request
    }

    /// 202 with the job.
    func accepted(_ receipt: RefreshReceipt, applied: String? = nil) -> HTTPReply {
        var headers = [
            ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
            ("Location", "/v1/jobs/\(receipt.job.id.text)"),
        ]
        if let applied {
            headers.append(("Preference-Applied", applied))
            headers.append(("Vary", "Prefer"))
        }
        let body = JSONText.object { $0.members(of: receipt, durability: durability()) }
        return .response(HTTPResponse(status: 202, headers: headers, body: body))
    }

    /// What came of an asking: 202, or a problem.
    func answer(_ outcome: RequestOutcome) throws(Problem) -> HTTPReply {
        switch outcome {
        case .accepted(let receipt): return accepted(receipt)
        case .queueFull(let waiting): throw .queueFull(waiting: waiting)
        case .notNeeded, .coolingDown:
            // Only reads, the monitor and schedules are told so; `ask` always gets a job.
            throw Problem(503, "corrupt_data", "The store refused an asking.")
        }
    }
}

import FoundationEssentials
import Synchronization
import TestSupport

/// Clients of a fleet: readers, askers and listeners on every API process, who note what they see.
struct Traffic {
    enum Client: CaseIterable {
        case reader, asker, listener
    }

    let fleet: Fleet
    let history = History()
    let keys: [String]

    /// What a read shows.
    private struct Envelope: Decodable {
        var version: Int
        var items: CountedSource.Payload
    }
    private struct Status: Decodable { var version: Int }
    private struct Receipt: Decodable {
        var status: String
        var job_id: String
    }
    private struct Problem: Decodable { var code: String }
    private struct Told: Decodable {
        var type: String
        var key: String?
        var job_id: String?
        var version: Int?
        var renewal: Bool?
    }
    private struct JobState: Decodable { var state: String }

    /// Runs clients on every API process while `body` does harm, then ends them.
    func run<Value>(
        _ clients: [Client] = Client.allCases, _ body: () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for process in fleet.ports.indices {
                for client in clients {
                    if client == .listener { group.addTask { await listen(process) } }
                    for key in keys where client != .listener {
                        group.addTask {
                            await client == .reader ? read(key, process) : ask(key, process)
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Waits until every accepted job has ended, and all processes show the same; what broke a
    /// promise until then.
    func violations(wipe: Int64? = nil) async throws -> [String] {
        let client = fleet.clients[0]
        var endings: History.Endings = [:]
        for ask in history.records.asks where endings[ask.job] == nil {
            let job = ask.job
            let state = try await eventualValue("\(job) ends", deadline: .seconds(20)) {
                let answer = try await client.get("/v1/jobs/\(job)")
                if answer.status == 404 { return "unknown" }
                guard answer.status == 200 else { return nil }
                let state = try JSONDecoder().decode(JobState.self, from: Data(answer.body)).state
                return ["queued", "running", "retrying"].contains(state) ? nil : state
            }
            if state != "unknown" { endings[job] = state }
        }
        for key in keys {
            try await eventually("all show the same version of \(key)", deadline: .seconds(5)) {
                var versions: Set<String?> = []
                for process in fleet.ports.indices { versions.insert(await readOnce(key, process)) }
                return versions.count == 1 && versions != [nil]
            }
        }
        return history.violations(endings: endings, runs: fleet.source.runs(), wipe: wipe)
    }

    // MARK: clients

    private func read(_ key: String, _ process: Int) async {
        while await pause(.milliseconds(20)) {
            _ = await readOnce(key, process)
            await lookOnce(key, process)
        }
    }

    /// The version, as the answer shows it; `nil` when there was none.
    @discardableResult
    func readOnce(_ key: String, _ process: Int) async -> String? {
        guard let (answer, sent, answered) = await exchange("GET", key, "", process) else {
            return nil
        }
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(answer.body))
        else {
            refuse(process, key, answer, sent, answered)
            return nil
        }
        history.add(
            History.Sight(
                kind: .read, process: process, key: key, version: envelope.version,
                load: envelope.items.start, sent: sent, answered: answered))
        return String(envelope.version)
    }

    private func lookOnce(_ key: String, _ process: Int) async {
        guard let (answer, sent, answered) = await exchange("GET", key + "/status", "", process),
            answer.status == 200,
            let status = try? JSONDecoder().decode(Status.self, from: Data(answer.body))
        else { return }
        history.add(
            History.Sight(
                kind: .status, process: process, key: key, version: status.version, load: nil,
                sent: sent, answered: answered))
    }

    private func ask(_ key: String, _ process: Int) async {
        var count = process
        while await pause(.milliseconds(60)) {
            count += 1
            await askOnce(key, process, body: count % 3 == 0 ? "{\"force\":true}" : "")
        }
    }

    /// The job's id, when the ask was accepted.
    @discardableResult
    func askOnce(_ key: String, _ process: Int, body: String = "") async -> String? {
        let exchanged = await exchange("POST", key + "/refresh", body, process)
        guard let (answer, sent, answered) = exchanged else { return nil }
        guard answer.status == 202,
            let receipt = try? JSONDecoder().decode(Receipt.self, from: Data(answer.body))
        else {
            refuse(process, key + "/refresh", answer, sent, answered)
            return nil
        }
        history.add(
            History.Ask(
                key: key, job: receipt.job_id, status: receipt.status, sent: sent,
                answered: answered))
        return receipt.job_id
    }

    private func listen(_ process: Int) async {
        var count = 0
        repeat {
            count += 1
            let name = "stream \(process).\(count)"
            // A process that is down refuses; the next round asks again.
            guard let stream = try? fleet.clients[process].stream("/v1/events") else { continue }
            for await line in stream.lines where line.hasPrefix("data:") {
                note(String(line.dropFirst(5)), name, process)
            }
        } while await pause(.milliseconds(100))
    }

    private func note(_ data: String, _ stream: String, _ process: Int) {
        guard let told = try? JSONDecoder().decode(Told.self, from: Data(data.utf8)),
            let key = told.key, let version = told.version
        else { return }
        let now = History.now()
        history.add(
            History.Event(
                stream: stream, type: told.type, key: key, job: told.job_id, version: version,
                isRenewal: told.renewal == true))
        if told.type == "updated" {
            history.add(
                History.Sight(
                    kind: .told, process: process, key: key, version: version, load: nil,
                    sent: now, answered: now))
        }
    }

    // MARK: exchanges

    private func exchange(
        _ method: String, _ path: String, _ body: String, _ process: Int
    ) async -> (HTTPClient.Response, sent: Int64, answered: Int64)? {
        let sent = History.now()
        do {
            let answer = try await fleet.clients[process].send(
                method, "/v1/resources/" + path, body: body, deadline: .seconds(15))
            return (answer, sent, History.now())
        } catch {
            refuse(process, path, nil, sent, History.now(), failure: "\(error)")
            return nil
        }
    }

    private func refuse(
        _ process: Int, _ path: String, _ answer: HTTPClient.Response?, _ sent: Int64,
        _ answered: Int64, failure: String? = nil
    ) {
        let problem = answer.flatMap {
            try? JSONDecoder().decode(Problem.self, from: Data($0.body))
        }
        history.add(
            History.Refusal(
                process: process, path: path, status: answer?.status, code: problem?.code,
                failure: failure, sent: sent, answered: answered))
    }

    /// Between two calls of a client; `false` at its end.
    private func pause(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }
}

import Codecs
import Coordination
import FoundationEssentials
import FreshetModel
import Synchronization
import Testing

@testable import Operator

@Suite("Operators' commands", .timeLimit(.minutes(1)))
struct OperatorCommandTests {
    /// What a command printed.
    private final class Paper: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        func write(_ more: [UInt8]) { bytes.withLock { $0 += more } }
        var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
        func clear() { bytes.withLock { $0 = [] } }
    }

    private let store = MemoryRefreshStore()
    private let paper = Paper()
    private let errors = Paper()

    private var target: Operator {
        let paper = paper
        let errors = errors
        let console = Console(
            write: { paper.write($0) }, writeError: { errors.write(Array($0.utf8)) },
            size: { nil }, isColored: false)
        return Operator(store: store, settings: settings, console: console)
    }

    private var settings: Settings {
        var settings = Settings()
        for name in ["catalog", "events"] {
            guard let name = ResourceName(name) else { continue }
            var resource = Resource(name: name)
            if name.text == "events" {
                resource.parameters = [
                    ParameterRule(name: "city", pattern: "[a-z]+", defaultValue: "oslo")
                ]
                resource.priority = .high
            }
            settings.resources[name] = resource
        }
        return settings
    }

    private func claim() async throws -> Claim {
        let batch = try await store.claim(ClaimRequest(worker: "w"))
        return try #require(batch.claims.first)
    }

    private func publish(_ text: String, encoding: PayloadEncoding = .identity) async throws {
        let claim = try await claim()
        var payload = Payload(bytes: Array(text.utf8), contentType: "application/json")
        payload.facts.itemCount = 2
        if encoding == .gzip {
            payload.bytes = try Compression.compress(payload.bytes, .gzip)
            payload.encoding = .gzip
        }
        _ = try await store.publish(
            Publication(
                claim: claim, content: .payload(payload), freshFor: .never, keepFor: nil),
            claimNext: nil)
    }

    private func json(_ text: String) throws -> [String: JSONValue] {
        try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
    }

    @Test("a refresh is asked for, and asked again it is the same job")
    func refresh() async throws {
        var call = Operator.RefreshCall(key: "events")
        call.json = true
        try await target.refresh(call)
        let first = try json(paper.text)
        #expect(first["status"] == .text("started"))
        #expect(first["key"] == .text("events?city=oslo"))
        #expect(first["position"] == .number(1))
        paper.clear()
        try await target.refresh(call)
        let second = try json(paper.text)
        #expect(second["status"] == .text("queued"))
        #expect(second["job_id"] == first["job_id"])
        paper.clear()
        try await target.refresh(Operator.RefreshCall(key: "catalog"))
        #expect(paper.text.hasPrefix("started "))
        #expect(paper.text.contains("-catalog, position 2 of 2"))
    }

    @Test(
        "what is no key of the configuration is refused in words",
        arguments: [
            (
                "nothing",
                OperatorError.failed("no resource `nothing` is configured, only catalog, events")
            ),
            ("a b", .malformed("`a b` is not a key; a key is `name` or `name?parameter=value`")),
            ("events?city=OSLO", .malformed("`city` does not match `[a-z]+`")),
            ("events?town=oslo", .malformed("`events` has no parameter `town`")),
        ])
    func refusals(key: String, error: OperatorError) async {
        await #expect(throws: error) {
            try await target.refresh(Operator.RefreshCall(key: key))
        }
    }

    @Test("waiting follows the job to its success")
    func waitForSuccess() async throws {
        var call = Operator.RefreshCall(key: "catalog")
        call.wait = true
        let waiting = call
        let target = target
        async let done: Void = target.refresh(waiting)
        try await untilQueued()
        try await publish("[1,2]")
        try await done
        #expect(paper.text.contains("catalog: version 1"))
    }

    @Test("waiting fails with the source's words when the job is dead")
    func waitForFailure() async throws {
        var call = Operator.RefreshCall(key: "catalog")
        call.wait = true
        let waiting = call
        let target = target
        async let done: Void = target.refresh(waiting)
        try await untilQueued()
        let claim = try await claim()
        _ = try await store.fail(
            AttemptFailure(claim: claim, error: "no such host", retryAfter: nil))
        do {
            try await done
            Issue.record("it did not fail")
        } catch {
            #expect("\(error)".hasSuffix(": no such host"))
        }
    }

    private func untilQueued() async throws {
        while try await store.queue().waiting == 0 { await Task.yield() }
    }

    @Test("a payload is printed byte for byte, decompressed, or in its envelope")
    func get() async throws {
        let key = try #require(Key("catalog"))
        await #expect(throws: OperatorError.self) {
            try await target.get("catalog", envelope: false)
        }
        for encoding in [PayloadEncoding.identity, .gzip] {
            _ = try await store.request(RefreshRequest(key: key))
            try await publish("[ 1, 2 ]", encoding: encoding)
            paper.clear()
            try await target.get("catalog", envelope: false)
            #expect(paper.text == "[ 1, 2 ]")
        }
        paper.clear()
        try await target.get("catalog", envelope: true)
        #expect(paper.text.hasSuffix("\"items\":[ 1, 2 ]}\n"))
        let envelope = try json(paper.text)
        #expect(envelope["version"] == .number(2))
        #expect(envelope["cache_valid"] == .flag(true))
        #expect(envelope["refresh"] == .null)
    }

    @Test("listings are tables, or pages of the HTTP API")
    func listings() async throws {
        try await target.status(nil, json: false)
        #expect(paper.text == "no key has a payload or a job\n")
        try await target.refresh(Operator.RefreshCall(key: "catalog"))
        paper.clear()
        try await target.status(nil, json: false)
        #expect(paper.text.hasPrefix("KEY"))
        #expect(paper.text.contains("catalog  queued"))
        for command in ["status", "jobs", "dead"] {
            paper.clear()
            switch command {
            case "status": try await target.status(nil, json: true)
            case "jobs": try await target.jobs(states: [], limit: 10, json: true)
            default: try await target.dead(limit: 10, json: true)
            }
            let page = try json(paper.text)
            #expect(page["next_cursor"] == .null)
            guard case .list(let items)? = page["items"] else {
                Issue.record("\(command) has no items")
                continue
            }
            #expect(items.count == (command == "dead" ? 0 : 1))
        }
    }

    @Test("dead jobs are retried one by one or all")
    func dead() async throws {
        for key in ["catalog", "events?city=oslo"] {
            _ = try await store.request(RefreshRequest(key: try #require(Key(key))))
            let claim = try await claim()
            _ = try await store.fail(AttemptFailure(claim: claim, error: "broken", retryAfter: nil))
        }
        try await target.dead(limit: 10, json: false)
        #expect(paper.text.contains("broken"))
        let dead = try await store.jobs(states: [.dead], cursor: nil, limit: 10).items
        let first = try #require(dead.first)
        try await target.retryDead([first.id.text], json: false)
        await #expect(throws: OperatorError.self) {
            try await target.retryDead(["1-catalog"], json: false)
        }
        try await target.retryAllDead(json: false)
        #expect(try await store.queue().waiting == 2)
        #expect(try await store.queue().dead == 0)
    }

    @Test("a job is cancelled once")
    func cancel() async throws {
        try await target.refresh(Operator.RefreshCall(key: "catalog"))
        let id = try #require(
            try await store.jobs(states: [], cursor: nil, limit: 1).items.first?.id)
        try await target.cancel(id.text, json: false)
        await #expect(throws: OperatorError.failed("\(id) has ended already: cancelled")) {
            try await target.cancel(id.text, json: false)
        }
        await #expect(throws: OperatorError.failed("no job 1-catalog")) {
            try await target.cancel("1-catalog", json: false)
        }
    }

    @Test("the queue is paused and resumed")
    func pause() async throws {
        try await target.queue(.pause, json: true)
        #expect(try json(paper.text)["paused"] == .flag(true))
        paper.clear()
        try await target.queue(.resume, json: false)
        #expect(paper.text.hasPrefix("queue       open") || paper.text.contains("open"))
        #expect(paper.text.contains("no worker is alive"))
    }

    @Test("without a terminal the live view is printed once")
    func top() async throws {
        try await target.refresh(Operator.RefreshCall(key: "catalog"))
        paper.clear()
        try await target.top(keys: nil)
        #expect(paper.text.contains("WAITING 1"))
        #expect(!paper.text.contains("\u{1B}"))
    }
}

/// Any JSON, for looking at what commands print.
enum JSONValue: Decodable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}

internal import Runtime

/// Finds the master by its sentinels, each time a connection is made.
///
/// All are asked at once. A sentinel that was cut off may still name the old master, so the answer of
/// most of those that reply in time counts; the process itself is then asked for its role.
final class SentinelLocator: Locator {
    /// How long one sentinel may take.
    private static let timeout = Duration.milliseconds(500)
    /// How long the others may take once one has answered.
    private static let patience = Duration.milliseconds(100)

    let name: String
    private let loop: EventLoop
    private let sentinels: [RedisEndpoint]
    private let master: String
    private let credentials: RedisCredentials?
    private var poll: Poll?

    init(
        loop: EventLoop, sentinels: [RedisEndpoint], master: String,
        credentials: RedisCredentials?
    ) {
        self.loop = loop
        self.sentinels = sentinels
        self.master = master
        self.credentials = credentials
        name = "master \(master)"
    }

    func isMisplaced(_ error: RedisError) -> Bool { error.code == .readonly }

    func locate(_ completion: @escaping (Result<Location, RedisError>) -> Void) {
        forget()
        let poll = Poll(asked: sentinels.count, completion)
        self.poll = poll
        for (index, sentinel) in sentinels.enumerated() { ask(sentinel, index, poll) }
    }

    func forget() {
        poll?.end()
        poll = nil
    }

    private func ask(_ sentinel: RedisEndpoint, _ index: Int, _ poll: Poll) {
        let attempt = Attempt(
            loop: loop, locator: FixedLocator(sentinel), resolver: Resolver(loop: loop)
        ) { [credentials] _ in
            Greeting(
                credentials: credentials, name: nil, database: 0, mustBeMaster: false,
                scripts: RedisScripts([]))
        }
        poll.cancellations.append { attempt.cancel() }
        attempt.start(timeout: Self.timeout) { [self] result in
            switch result {
            case .failure(let error): answered(.failure(error), index, poll)
            case .success(let wire): ask(wire, sentinel, index, poll)
            }
        }
    }

    private func ask(_ wire: Wire, _ sentinel: RedisEndpoint, _ index: Int, _ poll: Poll) {
        let timer = loop.schedule(after: Self.timeout) { [self] in
            wire.close()
            let silent = RedisError(.unreachable, "sentinel \(sentinel) does not answer")
            answered(.failure(silent), index, poll)
        }
        let end: () -> Void = { [loop] in
            loop.cancel(timer)
            wire.close()
        }
        poll.cancellations.append(end)
        wire.onValue = { [self] value in
            end()
            answered(Self.location(value, sentinel, master), index, poll)
        }
        wire.onClosed = { [self] error in
            end()
            answered(.failure(error), index, poll)
        }
        wire.append(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", .text(master)])
    }

    private static func location(
        _ value: RedisValue, _ sentinel: RedisEndpoint, _ master: String
    ) -> Result<RedisEndpoint, RedisError> {
        if let parts = value.array, parts.count == 2, let host = parts[0].text,
            let port = parts[1].int, (1...65_535).contains(port)
        {
            return .success(.tcp(host: host, port: Int(port)))
        }
        if case .error(let text) = value {
            return .failure(RedisError(.unreachable, "sentinel \(sentinel): \(text)"))
        }
        return .failure(
            RedisError(.unreachable, "sentinel \(sentinel) knows no master called \(master)"))
    }

    private func answered(
        _ answer: Result<RedisEndpoint, RedisError>, _ index: Int, _ poll: Poll
    ) {
        guard !poll.isOver else { return }
        poll.answers[index] = answer
        if case .success = answer, poll.timer == nil {
            poll.timer = loop.schedule(after: Self.patience) { poll.decide() }
            let timer = poll.timer
            poll.cancellations.append { [loop] in if let timer { loop.cancel(timer) } }
        }
        if poll.answers.count == poll.asked { poll.decide() }
    }

    /// One round of questions.
    final class Poll {
        let asked: Int
        var answers: [Int: Result<RedisEndpoint, RedisError>] = [:]
        var timer: EventLoop.Timer?
        var cancellations: [() -> Void] = []
        private var completion: ((Result<Location, RedisError>) -> Void)?

        init(asked: Int, _ completion: @escaping (Result<Location, RedisError>) -> Void) {
            self.asked = asked
            self.completion = completion
        }

        var isOver: Bool { completion == nil }

        func end() {
            completion = nil
            let cancellations = cancellations
            self.cancellations = []
            for cancel in cancellations { cancel() }
        }

        func decide() {
            guard let completion else { return }
            end()
            let result = SentinelLocator.majority(answers).map {
                Location(endpoint: $0, mustBeMaster: true)
            }
            completion(result)
        }
    }

    /// The master that most sentinels name, of equals the one named by the earliest in the list.
    static func majority(
        _ answers: [Int: Result<RedisEndpoint, RedisError>]
    ) -> Result<RedisEndpoint, RedisError> {
        var votes: [RedisEndpoint: Int] = [:]
        var order: [RedisEndpoint] = []
        var failure = RedisError(.unreachable, "no sentinel answers")
        // From the last in the list to the first, so that of equals the first has the last word.
        for index in answers.keys.sorted(by: >) {
            switch answers[index] {
            case .success(let endpoint):
                votes[endpoint, default: 0] += 1
                order.removeAll { $0 == endpoint }
                order.append(endpoint)
            case .failure(let error): failure = error
            case nil: break
            }
        }
        var winner: RedisEndpoint?
        for endpoint in order where (votes[endpoint] ?? 0) >= (winner.flatMap { votes[$0] } ?? 0) {
            winner = endpoint
        }
        return winner.map { .success($0) } ?? .failure(failure)
    }
}

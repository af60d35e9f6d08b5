/// What a connection does when, without sockets, clocks or dice: those are told to it, and it tells
/// what has become of the commands.
///
///                      ┌──────────────────────────────────────────────┐
///     attempting ──connected──▶ ready ──lost──▶ pausing ──retry──▶ attempting
///         └────────failed──────────────────────────▲
///     any ──close──▶ closed
///
/// A command is *held* while there is no connection and *in flight* once its bytes are queued on one.
/// Replies come in the order of the flights. A command that failed early (deadline, cancellation)
/// leaves its place in that order, and the late reply is dropped when it comes.
struct ConnectionMachine<Token> {
    struct Limits {
        var maxCommands: Int
        var maxQueuedBytes: Int
        /// All in nanoseconds.
        var connectGrace: UInt64
        var overdueGrace: UInt64
        var maxBackoff: UInt64
    }

    enum Phase: Equatable {
        case attempting
        case ready
        case pausing
        case closed
    }

    /// What to do with a new command.
    enum Admission: Equatable {
        case write
        case hold
        case refuse(RedisError)
    }

    struct Held {
        let id: UInt64
        let token: Token
        let arguments: [RedisArgument]
        let deadline: UInt64
        let submitted: UInt64
        /// When it fails for want of a connection, once an attempt has failed.
        var patience: UInt64
    }

    private struct Flight {
        let id: UInt64
        /// nil once the command has failed early.
        var token: Token?
        let deadline: UInt64
        /// Stream offset of its last byte.
        let end: UInt64
    }

    /// A command that has come to its end without a reply.
    struct Failure {
        let token: Token
        let error: RedisError
    }

    struct Expiry {
        var failures: [Failure] = []
        /// The peer is silent: the socket must be given up.
        var isSilent = false
    }

    private(set) var phase = Phase.attempting
    /// Why the last attempt failed; nil after a success and before the first.
    private(set) var lastFailure: RedisError?
    private let limits: Limits
    private var backoff: Backoff
    private var held = Fifo<Held>()
    private var heldBytes = 0
    private var flights = Fifo<Flight>()
    /// How many of the oldest flights failed early; a frozen peer leaves thousands.
    private var forsaken = 0
    private var nextID: UInt64 = 1
    private var readySince: UInt64 = 0

    init(limits: Limits) {
        self.limits = limits
        backoff = Backoff(maximum: limits.maxBackoff)
    }

    /// Commands without an end yet.
    var waiting: Int { held.count + flights.count }

    // MARK: commands

    /// Decides on a command; `unwritten` counts the bytes queued on the wire.
    func admit(_ arguments: [RedisArgument], unwritten: Int) -> Admission {
        if waiting >= limits.maxCommands {
            return .refuse(
                RedisError(.overloaded, "\(waiting) commands wait on the Redis connection already"))
        }
        let queued = unwritten + heldBytes
        if queued > 0, queued + Self.size(arguments) > limits.maxQueuedBytes {
            return .refuse(
                RedisError(.overloaded, "\(queued) bytes wait to be written to Redis already"))
        }
        switch phase {
        case .ready: return .write
        case .closed: return .refuse(RedisError(.closed, "the Redis connection is closed"))
        case .attempting, .pausing:
            guard let lastFailure, limits.connectGrace == 0 else { return .hold }
            return .refuse(lastFailure)
        }
    }

    /// Notes a command whose bytes were queued up to `end`; answers with its number.
    mutating func launch(_ token: Token, deadline: UInt64, end: UInt64) -> UInt64 {
        launch(token, id: takeID(), deadline: deadline, end: end)
    }

    /// Notes a command that was held until now.
    mutating func launch(_ command: Held, end: UInt64) {
        _ = launch(command.token, id: command.id, deadline: command.deadline, end: end)
    }

    private mutating func launch(
        _ token: Token, id: UInt64, deadline: UInt64, end: UInt64
    ) -> UInt64 {
        flights.append(Flight(id: id, token: token, deadline: deadline, end: end))
        return id
    }

    /// Keeps a command for the next connection; answers with its number.
    mutating func hold(
        _ token: Token, _ arguments: [RedisArgument], deadline: UInt64, now: UInt64
    ) -> UInt64 {
        let id = takeID()
        let patience = lastFailure == nil ? UInt64.max : now + limits.connectGrace
        heldBytes += Self.size(arguments)
        held.append(
            Held(
                id: id, token: token, arguments: arguments, deadline: deadline, submitted: now,
                patience: patience))
        return id
    }

    /// Holds a command without words, which only waits for the connection, whatever fails before.
    mutating func wait(_ token: Token, deadline: UInt64) -> UInt64 {
        let id = takeID()
        held.append(
            Held(
                id: id, token: token, arguments: [], deadline: deadline, submitted: .max,
                patience: .max))
        return id
    }

    /// Takes a command out; nil when it has ended already.
    mutating func cancel(_ id: UInt64) -> Failure? {
        let unheld = held.removeAll { $0.id != id }
        if let command = unheld.first {
            heldBytes -= Self.size(command.arguments)
            return Failure(
                token: command.token, error: RedisError(.cancelled, "the command was cancelled"))
        }
        guard let position = position(of: id), let token = flights[position].token else {
            return nil
        }
        flights[position].token = nil
        let error = RedisError(.cancelled, "the command was cancelled", effect: .unknown)
        return Failure(token: token, error: error)
    }

    /// Numbers grow along the queue.
    private func position(of id: UInt64) -> Int? {
        var low = 0
        var high = flights.count
        while low < high {
            let middle = (low + high) / 2
            if flights[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < flights.count && flights[low].id == id ? low : nil
    }

    private mutating func takeID() -> UInt64 {
        defer { nextID += 1 }
        return nextID
    }

    private static func size(_ arguments: [RedisArgument]) -> Int {
        arguments.reduce(0) { $0 + $1.byteCount }
    }

    // MARK: what the wire reports

    enum Receipt {
        case deliver(Token)
        /// The reply of a command that failed early.
        case drop
        /// Nobody asked.
        case unexpected
    }

    /// The next reply has come.
    mutating func received() -> Receipt {
        guard !flights.isEmpty else { return .unexpected }
        forsaken = max(0, forsaken - 1)
        guard let token = flights.removeFirst().token else { return .drop }
        return .deliver(token)
    }

    /// An attempt has succeeded; answers with the commands to write, oldest first.
    mutating func connected(now: UInt64) -> [Held] {
        guard phase == .attempting else { return [] }
        phase = .ready
        lastFailure = nil
        readySince = now
        heldBytes = 0
        return held.removeAll()
    }

    /// An attempt has failed: those who need not wait any longer fail with it.
    ///
    /// - Returns: What failed, and the pause before the next attempt in nanoseconds.
    mutating func attemptFailed(
        _ error: RedisError, now: UInt64, fraction: Double
    ) -> (failures: [Failure], pause: UInt64) {
        guard phase == .attempting else { return ([], 0) }
        phase = .pausing
        lastFailure = error
        for position in 0..<held.count {
            guard !held[position].arguments.isEmpty else { continue }
            let end = held[position].submitted + limits.connectGrace
            held[position].patience = min(held[position].patience, end)
        }
        return (dropHeld(now: now), backoff.next(fraction: fraction))
    }

    /// The pause is over.
    mutating func retry() -> Bool {
        guard phase == .pausing else { return false }
        phase = .attempting
        return true
    }

    /// The connection broke, when `written` bytes had been handed to the kernel.
    ///
    /// - Returns: What failed, and the pause before the next attempt in nanoseconds.
    mutating func lost(
        _ error: RedisError, written: UInt64, now: UInt64, fraction: Double
    ) -> (failures: [Failure], pause: UInt64) {
        guard phase == .ready else { return ([], 0) }
        phase = .pausing
        // A server that accepts and hangs up at once is no success.
        if now - readySince > Nanoseconds.perSecond { backoff.reset() }
        return (dropFlights(error, written: written), backoff.next(fraction: fraction))
    }

    mutating func close(written: UInt64) -> [Failure] {
        guard phase != .closed else { return [] }
        phase = .closed
        let error = RedisError(.closed, "the Redis connection was closed")
        heldBytes = 0
        return dropFlights(error, written: written)
            + held.removeAll().map { Failure(token: $0.token, error: error) }
    }

    private mutating func dropFlights(_ error: RedisError, written: UInt64) -> [Failure] {
        forsaken = 0
        return flights.removeAll().compactMap { flight in
            guard let token = flight.token else { return nil }
            // The server cannot run a command of which it lacks the end.
            let effect = flight.end <= written ? RedisError.Effect.unknown : .none
            return Failure(token: token, error: error.with(effect: effect))
        }
    }

    // MARK: time

    /// Ends what is due at `now`; `lastActivity` is when the peer last showed life.
    mutating func expire(now: UInt64, lastActivity: UInt64) -> Expiry {
        var expiry = Expiry(failures: dropHeld(now: now))
        for position in forsaken..<flights.count {
            let flight = flights[position]
            guard let token = flight.token else {
                if position == forsaken { forsaken += 1 }
                continue
            }
            guard flight.deadline <= now else { continue }
            flights[position].token = nil
            if position == forsaken { forsaken += 1 }
            let error = RedisError(.timeout, "Redis did not answer in time", effect: .unknown)
            expiry.failures.append(Failure(token: token, error: error))
        }
        if let oldest = flights.first, oldest.deadline + limits.overdueGrace <= now {
            expiry.isSilent = lastActivity + limits.overdueGrace <= now
        }
        return expiry
    }

    /// When `expire` should be called next.
    func nextExpiry(lastActivity: UInt64) -> UInt64? {
        var next = UInt64.max
        for position in 0..<held.count {
            next = min(next, held[position].deadline, held[position].patience)
        }
        for position in forsaken..<flights.count {
            let flight = flights[position]
            if flight.token != nil { next = min(next, flight.deadline) }
        }
        if let oldest = flights.first {
            next = min(next, max(oldest.deadline, lastActivity) + limits.overdueGrace)
        }
        return next == .max ? nil : next
    }

    private mutating func dropHeld(now: UInt64) -> [Failure] {
        let reason = lastFailure ?? RedisError(.unreachable, "no connection to Redis in time")
        let late = held.removeAll { $0.deadline > now && $0.patience > now }
        return late.map { command in
            heldBytes -= Self.size(command.arguments)
            return Failure(token: command.token, error: reason)
        }
    }
}

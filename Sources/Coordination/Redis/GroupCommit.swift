internal import FreshetModel
internal import Runtime

/// Makes one script call of what many callers bring, as databases commit in groups.
///
/// What a turn of the loop brings leaves at its end, so a caller alone waits for nothing. While
/// `width` calls are under way the next callers gather and share the call that follows: the more
/// there are, the less of a script's fixed cost each pays. Two under way keep Redis busy: one runs
/// there while the answers of the other are handed out here.
///
/// A call is bounded by its deadline, counted from its oldest caller. A caller's cancellation does
/// not end it, since it is the others' call too.
final class GroupCommit<Item: Sendable, Answer: Sendable>: Sendable {
    /// Tells an answer for each item, on the loop.
    typealias Answers = @Sendable ([Result<Answer, RefreshError>]) -> Void
    /// Sends items, in that order, within a time. Called on the loop.
    typealias Send = @Sendable ([Item], Duration, @escaping Answers) -> Void

    /// How large a group becomes, and how long it may take.
    struct Limits {
        /// Items of one call.
        var items = 50
        /// What the items of one call may weigh together; one alone may weigh more.
        var weight = Int.max
        /// Calls under way.
        var width = 2
        /// From the moment an item is brought to its answer.
        var deadline: Duration
    }

    private let gathered: LoopBound<Gathered>

    init(on loop: EventLoop, _ limits: Limits, send: @escaping Send) {
        gathered = LoopBound(Gathered(loop, limits, send), on: loop)
    }

    /// Brings an item and waits for its answer. From any task.
    func submit(_ item: Item, weight: Int = 1) async throws(RefreshError) -> Answer {
        let result = await withCheckedContinuation { continuation in
            gathered.perform { gathered in
                gathered.take(item, weight) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    /// What waits to be sent. Lives on the loop.
    private final class Gathered {
        private struct Waiter {
            var item: Item
            var weight: Int
            var since: UInt64
            var tell: @Sendable (Result<Answer, RefreshError>) -> Void
        }

        private let loop: EventLoop
        private let limits: Limits
        private let send: Send
        private var waiters: [Waiter] = []
        private var underWay = 0
        private var isPlanned = false

        init(_ loop: EventLoop, _ limits: Limits, _ send: @escaping Send) {
            self.loop = loop
            self.limits = limits
            self.send = send
        }

        func take(
            _ item: Item, _ weight: Int,
            _ tell: @escaping @Sendable (Result<Answer, RefreshError>) -> Void
        ) {
            let now = EventLoop.monotonicNanoseconds()
            waiters.append(Waiter(item: item, weight: weight, since: now, tell: tell))
            plan()
        }

        private func plan() {
            guard !isPlanned, underWay < limits.width, !waiters.isEmpty else { return }
            isPlanned = true
            loop.atEndOfThisTurn { [self] in
                isPlanned = false
                sendGroups()
            }
        }

        private func sendGroups() {
            while underWay < limits.width, let first = waiters.first {
                let age = Duration.nanoseconds(
                    Int64(EventLoop.monotonicNanoseconds() - first.since))
                let group = nextGroup()
                guard age < limits.deadline else {
                    let error = RefreshError(
                        .redisUnavailable, "Redis did not answer in time", effect: .none)
                    for waiter in group { waiter.tell(.failure(error)) }
                    continue
                }
                underWay += 1
                let box = LoopBound(here: self, on: loop)
                send(group.map(\.item), limits.deadline - age) { answers in
                    precondition(answers.count == group.count, "an answer for each item")
                    box.value.underWay -= 1
                    for (waiter, answer) in zip(group, answers) { waiter.tell(answer) }
                    // At the end of the turn, so that what the answers set in motion goes along.
                    box.value.plan()
                }
            }
        }

        /// Takes the oldest waiters, spread over the calls that may leave now.
        private func nextGroup() -> [Waiter] {
            let calls = limits.width - underWay
            // A few are not worth a second call.
            let share = max(8, (waiters.count + calls - 1) / calls)
            let most = min(limits.items, share, waiters.count)
            var count = 1
            var weight = waiters[0].weight
            while count < most, weight + waiters[count].weight <= limits.weight {
                weight += waiters[count].weight
                count += 1
            }
            defer { waiters.removeFirst(count) }
            return Array(waiters[..<count])
        }
    }
}

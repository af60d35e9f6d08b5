internal import FreshetModel
internal import Redis

/// One request's words for the script, and its part of the reply that several share.
typealias AskGroup = GroupCommit<[RedisArgument], AskAnswer>
/// One publication's words for the script with the claim that goes along, and what came of both.
typealias PublishGroup = GroupCommit<PublishItem, PublishAnswer>

/// A request's answer within a reply of the script `request`.
struct AskAnswer {
    /// {now, waiting, leased, answer...}
    var reply: Reply
    /// Of its answer in the reply.
    var index: Int
}

/// One publication, and the claim of the slot that it frees.
struct PublishItem {
    var arguments: [RedisArgument]
    var next: ClaimRequest?
}

/// What came of a publication, and what its slot was given.
struct PublishAnswer {
    var outcome: PublicationOutcome
    var next: ClaimBatch
}

/// Turns what a group gathered into script calls, and their replies into an answer for each.
struct GroupSender {
    let client: RedisClient
    let clock: (@Sendable () -> Timestamp)?

    /// New and joined requests, `request` for many keys.
    func askGroup(in space: KeySpace, deadline: Duration) -> AskGroup {
        AskGroup(on: client.loop, .init(deadline: deadline)) { items, deadline, tell in
            let words = items.flatMap { $0 } + [RedisRefreshStore.argument(clock)]
            let call = RedisCall(RefreshScripts.request, [space.meta], words)
            client.evaluateAll([call], deadline: deadline) { results in
                switch results[0] {
                case .failure(let error):
                    let failure = client.failure(error, RefreshScripts.request)
                    tell(items.map { _ in .failure(failure) })
                case .success(let value):
                    let reply = Reply(value)
                    tell(items.indices.map { .success(AskAnswer(reply: reply, index: 3 + $0)) })
                }
            }
        }
    }

    /// Publications, `publish` for many keys, with `claim` behind it for the slots they free.
    func publishGroup(in space: KeySpace, deadline: Duration) -> PublishGroup {
        var limits = PublishGroup.Limits(deadline: deadline)
        // Redis runs a script as a whole: its length is everybody's wait.
        limits.weight = 256 << 10
        return PublishGroup(on: client.loop, limits) { items, deadline, tell in
            let words = items.flatMap(\.arguments) + [RedisRefreshStore.argument(clock)]
            let claims = SharedClaims(items)
            var calls = [RedisCall(RefreshScripts.publish, [space.meta], words)]
            for request in claims.requests {
                // Its own partition's, which is this one in all but tests of many stores.
                let home = KeySpace(namespace: space.namespace, partition: request.partition)
                calls.append(
                    RedisCall(
                        RefreshScripts.claim, [home.meta],
                        RedisRefreshStore.arguments(request) + [RedisRefreshStore.argument(clock)]))
            }
            client.evaluateAll(calls, deadline: deadline) { results in
                let outcomes = outcomes(results[0], count: items.count)
                let batches = claims.share(results.dropFirst(), among: outcomes)
                tell(
                    zip(outcomes, batches).map { outcome, next in
                        outcome.map { PublishAnswer(outcome: $0, next: next) }
                    })
            }
        }
    }

    private func outcomes(
        _ result: Result<RedisValue, RedisError>, count: Int
    ) -> [Result<PublicationOutcome, RefreshError>] {
        switch result {
        case .failure(let error):
            let failure = client.failure(error, RefreshScripts.publish)
            return Array(repeating: .failure(failure), count: count)
        case .success(let value):
            let reply = Reply(value)
            return (0..<count).map { index in
                Result { () throws(RefreshError) in
                    try RedisRefreshStore.publication(try reply.sub(index))
                }
            }
        }
    }
}

/// The claims that go along with a group of publications: one call for the slots of a worker.
struct SharedClaims {
    private(set) var requests: [ClaimRequest] = []
    /// Items that a request stands for, in order.
    private var takers: [[Int]] = []
    private let count: Int

    init(_ items: [PublishItem]) {
        count = items.count
        for (index, item) in items.enumerated() {
            guard let next = item.next else { continue }
            if let place = requests.firstIndex(where: { $0.differsInLimitOnly(from: next) }) {
                requests[place].limit += next.limit
                takers[place].append(index)
            } else {
                requests.append(next)
                takers.append([index])
            }
        }
    }

    /// Hands out what was claimed: to items whose publication was answered, one job each; what is
    /// left, as when an item asked for several, to the last of them.
    ///
    /// - Returns: A batch for each item. Published is published: a failed claim only means that
    ///   nothing was claimed.
    func share(
        _ results: ArraySlice<Result<RedisValue, RedisError>>,
        among outcomes: [Result<PublicationOutcome, RefreshError>]
    ) -> [ClaimBatch] {
        var shares = [ClaimBatch](repeating: ClaimBatch(), count: count)
        for (result, takers) in zip(results, takers) {
            guard case .success(let value) = result else { continue }
            let batch: ClaimBatch
            do throws(RefreshError) {
                batch = try RedisRefreshStore.batch(Reply(value))
            } catch {
                continue
            }
            let answered = takers.filter { (try? outcomes[$0].get()) != nil }
            for (place, taker) in answered.enumerated() {
                var share = batch
                let isLast = place == answered.count - 1
                share.claims = Array(
                    batch.claims.dropFirst(place).prefix(isLast ? batch.claims.count : 1))
                shares[taker] = share
            }
        }
        return shares
    }
}

extension ClaimRequest {
    fileprivate func differsInLimitOnly(from other: ClaimRequest) -> Bool {
        var same = other
        same.limit = limit
        return self == same
    }
}

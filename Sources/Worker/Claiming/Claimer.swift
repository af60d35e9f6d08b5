internal import Coordination
internal import FreshetModel

/// A claim and the moment before the call that brought it, from which its lease counts here.
struct GrantedClaim: Sendable {
    var claim: Claim
    var sentAt: Duration
    /// What it counts as under a cap over several partitions; `nil`: there is no such cap.
    var slot: HeldSlot?
}

/// Claims jobs for the free slots, from all partitions in turn, and waits without polling when there
/// are none. Never ends because of the store: it backs off and goes on.
struct Claimer: Sendable {
    /// The longest wait for a wake-up: a lost one costs this at most.
    static let longestWait = Duration.seconds(1)
    /// The wait while jobs are there that may not be claimed: the cap is reached.
    static let cappedWait = Duration.milliseconds(250)
    /// The wait while the queue is paused.
    static let pausedWait = Duration.seconds(1)

    let store: any RefreshStore
    let slots: Slots
    let drain: Drain
    let pace: Pace
    let health: StoreHealth
    let worker: String
    let cap: SharedCap?
    /// Builds the claim for a partition and so many jobs.
    let request: @Sendable (_ partition: Int, _ limit: Int) -> ClaimRequest

    /// What a round over all partitions found.
    private struct Round {
        var claimed = 0
        var waiting = 0
        var untilNextDue: Duration?
        var isPaused = false
        /// All slots are taken: nobody asked whether jobs wait.
        var isCapped = false

        mutating func add(_ batch: ClaimBatch) {
            claimed += batch.claims.count
            waiting += batch.waiting
            isPaused = isPaused || batch.isPaused
            if let due = batch.untilNextDue {
                untilNextDue = untilNextDue.map { min($0, due) } ?? due
            }
        }

        var wait: Duration {
            var wait = Claimer.longestWait
            if isPaused {
                wait = Claimer.pausedWait
            } else if waiting > 0 || isCapped {
                wait = Claimer.cappedWait
            }
            // A due time just ahead must not become a wait of nothing, over and over.
            return min(wait, max(untilNextDue ?? wait, .milliseconds(1)))
        }
    }

    /// Gives what it claims to `accept`, for whom the slots are taken already, until the drain.
    ///
    /// Only waits are cut short then, no claim: its jobs would be nobody's until their leases end.
    func run(_ accept: @Sendable (GrantedClaim) -> Void) async {
        var rotation = PartitionRotation(count: store.partitions)
        var backoff = Backoff()
        var fruitless = 0
        var taker = cap.map { SlotTaker(store: store, cap: $0, pace: pace, worker: worker) }
        while true {
            await slots.waitForFree { drain.isDraining }
            guard !drain.isDraining else { return }
            do throws(RefreshError) {
                let round = try await claimRound(rotation.round(), &taker, accept)
                health.succeeded()
                backoff.reset()
                guard round.claimed == 0 else {
                    fruitless = 0
                    continue
                }
                let began = pace.now()
                try await waitForWork(atMost: round.wait)
                // Wake-ups that bring nothing, one right after the other, must not become a spin.
                fruitless = pace.now() - began < .milliseconds(5) ? fruitless + 1 : 0
                if fruitless > 3 {
                    await pause(min(.milliseconds(1 << min(fruitless, 10)), Self.cappedWait))
                }
            } catch {
                health.failed(error, during: "claim")
                await pause(backoff.next(random: pace.random()))
            }
        }
    }

    private func pause(_ duration: Duration) async {
        await pace.wait(for: drain.claimNudge, atMost: duration)
    }

    private func waitForWork(atMost timeout: Duration) async throws(RefreshError) {
        let failure = await withTaskGroup(of: RefreshError?.self) { group in
            group.addTask {
                do throws(RefreshError) {
                    try await store.waitForWork(timeout: timeout)
                    return nil
                } catch {
                    return error
                }
            }
            group.addTask {
                await drain.claimNudge.wait()
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let failure { throw failure }
    }

    /// Asks the partitions in `order`; under a cap over all of them, for as many jobs as there are
    /// slots to be had, and gives back those that no job was found for.
    private func claimRound(
        _ order: [Int], _ taker: inout SlotTaker?, _ accept: @Sendable (GrantedClaim) -> Void
    ) async throws(RefreshError) -> Round {
        guard taker != nil else {
            var unlimited: [HeldSlot]?
            return try await claimRound(order, &unlimited, accept)
        }
        var held = try await taker?.take(slots.free)
        let result: Result<Round, RefreshError>
        do throws(RefreshError) {
            var round = try await claimRound(order, &held, accept)
            round.isCapped = round.isCapped || held?.isEmpty == true
            result = .success(round)
        } catch {
            result = .failure(error)
        }
        if let held, !held.isEmpty { await giveBack(held) }
        return try result.get()
    }

    /// Gives slots back; when that fails they end with their leases.
    func giveBack(_ held: [HeldSlot]) async {
        do throws(RefreshError) {
            try await store.giveBackSlots(held.map(\.slot))
        } catch {
            health.failed(error, during: "give back slots")
        }
    }

    /// Asks the partitions in `order`, as many at a time as there are free slots for.
    private func claimRound(
        _ order: [Int], _ held: inout [HeldSlot]?, _ accept: @Sendable (GrantedClaim) -> Void
    ) async throws(RefreshError) -> Round {
        var round = Round()
        var rest = order[...]
        while !rest.isEmpty, !drain.isDraining {
            let free = min(slots.free, held?.count ?? .max)
            guard free > 0 else { break }
            let width = min(free, rest.count)
            let limit = min(free / width, Limits.scriptMembers)
            let sentAt = pace.now()
            let answers = await claim(rest.prefix(width), limit: limit)
            rest = rest.dropFirst(width)
            var failure: RefreshError?
            for answer in answers {
                switch answer {
                case .success(let batch):
                    round.add(batch)
                    slots.take(batch.claims.count)
                    for claim in batch.claims {
                        accept(
                            GrantedClaim(claim: claim, sentAt: sentAt, slot: held?.popLast()))
                    }
                case .failure(let error): failure = error
                }
            }
            if let failure { throw failure }
        }
        return round
    }

    private func claim(
        _ partitions: ArraySlice<Int>, limit: Int
    ) async -> [Result<ClaimBatch, RefreshError>] {
        if partitions.count == 1, let partition = partitions.first {
            return [await claim(partition, limit: limit)]
        }
        return await withTaskGroup { group in
            for partition in partitions {
                group.addTask { await claim(partition, limit: limit) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func claim(_ partition: Int, limit: Int) async -> Result<ClaimBatch, RefreshError> {
        do throws(RefreshError) {
            return .success(try await store.claim(request(partition, limit)))
        } catch {
            return .failure(error)
        }
    }
}

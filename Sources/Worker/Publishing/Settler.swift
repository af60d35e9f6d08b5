internal import Coordination
internal import FreshetModel

/// Brings the end of an attempt to the store, again and again when it does not answer.
///
/// Every transition is idempotent under its claim, so a call whose reply was lost is simply repeated.
/// Whether the lease is gone is the store's to say; while it says nothing, a payload in hand is worth
/// the wait, because nothing else could be done meanwhile.
struct Settler: Sendable {
    /// How long a call is repeated, counted from its first failure. A Redis that restarts with its
    /// append-only file is back within this.
    static let patience = Duration.seconds(60)

    let store: any RefreshStore
    let pace: Pace
    let health: StoreHealth
    let drain: Drain

    /// Publishes, and claims the next job when `next` is given; `nil`: given up.
    func publish(
        _ publication: Publication, next: ClaimRequest?, isHeld: @Sendable () -> Bool
    ) async -> (outcome: PublicationOutcome, next: ClaimBatch)? {
        // Only the first call claims: when its reply is lost, the jobs it claimed are lost with it
        // until their lease ends, and repeating the call must not add to them.
        do throws(RefreshError) {
            let answer = try await store.publish(publication, claimNext: next)
            health.succeeded()
            return answer
        } catch {
            health.failed(error, during: "publish")
        }
        return await repeating("publish", isHeld) { () throws(RefreshError) in
            try await store.publish(publication, claimNext: nil)
        }
    }

    /// Ends the attempt with failure; `nil`: given up.
    func fail(
        _ failure: AttemptFailure, isHeld: @Sendable () -> Bool
    ) async -> FailureOutcome? {
        await repeating("fail", isHeld) { () throws(RefreshError) in
            try await store.fail(failure)
        }
    }

    /// Gives the job back; `nil`: given up.
    func handBack(_ claim: Claim, delay: Duration, isSourceAway: Bool) async -> Bool? {
        await repeating("hand back", { true }) { () throws(RefreshError) in
            try await store.handBack(claim, delay: delay, isSourceAway: isSourceAway)
        }
    }

    /// Tells that a cancelled claim's source has ended. Not for long: what is not told, the end of
    /// the lease tells.
    func release(_ claim: Claim) async {
        _ = await repeating("release", patience: .seconds(1), { true }) {
            () throws(RefreshError) in
            try await store.release(claim)
        }
    }

    private func repeating<Answer>(
        _ call: String, patience: Duration = Self.patience, _ isHeld: @Sendable () -> Bool,
        _ body: () async throws(RefreshError) -> Answer
    ) async -> Answer? {
        var backoff = Backoff()
        let end = pace.now() + patience
        while true {
            do throws(RefreshError) {
                let answer = try await body()
                health.succeeded()
                return answer
            } catch {
                health.failed(error, during: call)
            }
            // In a cancelled task a sleep ends at once: one more try, no loop.
            guard isHeld(), !drain.isOver, !Task.isCancelled, pace.now() < end else { return nil }
            await pace.sleep(backoff.next(random: pace.random()))
        }
    }
}

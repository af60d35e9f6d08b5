internal import Coordination
internal import FreshetModel
internal import RefreshSources
internal import Runtime

/// Runs one claimed job to the end of its attempt, in a slot.
struct JobRunner: Sendable {
    /// A job of a resource that is not configured here waits so long for a worker that knows it.
    static let unknownDelay = Duration.seconds(5)

    let settings: Settings
    let resources: [ResourceName: ServedResource]
    let store: any RefreshStore
    let attempts: RunningAttempts
    let breakers: Breakers
    let settler: Settler
    let drain: Drain
    let pace: Pace
    let unknown: UnknownResources

    /// What one run of the source came to.
    private enum Run {
        case brought(SourceOutcome, took: Duration)
        case failed(SourceError)
        case stopped(Attempt.Stop)
    }

    /// Runs `granted`, and claims the next job of its partition with the publication when `next`
    /// is given. Returns that job.
    func run(_ granted: GrantedClaim, next: ClaimRequest?) async -> GrantedClaim? {
        let claim = granted.claim
        if let slot = granted.slot, slot.until <= pace.now() {
            await handBack(claim, nil, delay: .zero, why: "slot lost")
            return nil
        }
        guard let served = resources[claim.key.resource] else {
            unknown.met(claim.key.resource, at: pace.now())
            await handBack(claim, nil, delay: Self.unknownDelay, why: "unknown resource")
            return nil
        }
        guard !drain.isDraining else {
            await handBack(claim, served, delay: .zero, why: "shutdown")
            return nil
        }
        if let name = served.breaker, case .wait(let pause) = breakers.admit(name, at: pace.now()) {
            await handBack(
                claim, served, delay: pause, why: "source is away", isSourceAway: true)
            return nil
        }
        Journal.claimed(claim, served)
        var following = await attempt(granted, served, next: next)
        following?.slot = attempts.end(claim)
        return following
    }

    private func attempt(
        _ granted: GrantedClaim, _ served: ServedResource, next: ClaimRequest?
    ) async -> GrantedClaim? {
        let claim = granted.claim
        var previous = claim.previous
        while true {
            let attempt = attempts.begin(granted, timeout: served.resource.timeout)
            // Whoever stopped all attempts may have come just before this one was there.
            if drain.isOver { _ = attempt.stop(.shutdown) }
            switch await runSource(claim, served, previous, attempt) {
            case .brought(let outcome, let took):
                attempts.settle(claim)
                let publication = publication(of: outcome, claim, served)
                let isRenewal = publication.content == .renewal
                if isRenewal, previous == nil {
                    let error = SourceError("the source says not modified, but nothing is kept")
                    await fail(claim, served, error, attempt)
                    return nil
                }
                let sentAt = pace.now()
                // A renewal may have to run again, and then its slot is not free.
                let mayClaim = !isRenewal && !drain.isDraining && attempt.stopped == nil
                let answer = await settler.publish(
                    publication, next: mayClaim ? next : nil,
                    isHeld: { attempt.stopped != .leaseLost && attempt.stopped != .cancelled })
                switch answer?.outcome {
                case .published(let version):
                    Journal.succeeded(
                        claim, served, version: version, isRenewal: isRenewal, sourceTime: took,
                        publishTime: pace.now() - sentAt)
                case .nothingToRenew:
                    // Purged or evicted meanwhile: the source is asked again, without validators.
                    if let why = attempt.stopped {
                        await end(claim, served, stopped: why, attempt)
                        return nil
                    }
                    previous = nil
                    continue
                case .leaseLost:
                    await lost(claim, served, why: "lease lost before publication", attempt)
                case nil:
                    await giveUpPublication(claim, served, attempt)
                }
                return answer?.next.claims.first.map { GrantedClaim(claim: $0, sentAt: sentAt) }
            case .failed(let error):
                await fail(claim, served, error, attempt)
                return nil
            case .stopped(let why):
                await end(claim, served, stopped: why, attempt)
                return nil
            }
        }
    }

    // MARK: the source

    private func runSource(
        _ claim: Claim, _ served: ServedResource, _ previous: PayloadMetadata?, _ attempt: Attempt
    ) async -> Run {
        let began = pace.now()
        let context = SourceContext(
            key: claim.key, jobID: claim.jobID.text, attempt: claim.attempt, scope: claim.scope,
            previous: previous.map { PreviousPayload(metadata: $0, load: loader(of: claim.key)) },
            traceparent: claim.traceparent,
            report: { [attempts] progress in attempts.report(progress, claim) })
        let source = served.source
        let product = await attempt.run {
            do throws(SourceError) {
                return .success(try PayloadPreparation.prepare(try await source.run(context)))
            } catch {
                return .failure(error)
            }
        }
        let took = pace.now() - began
        served.metrics.source.observe(took.inSeconds)
        if attempt.isDeaf { Journal.leftBehind(claim, served) }
        tellBreaker(served, claim.key, product, wasStopped: attempt.stopped != nil)
        switch (attempt.stopped, product) {
        // What arrives although it was told to stop for want of time or a slot is as good as any.
        case (nil, .success(let outcome)), (.shutdown, .success(let outcome)),
            (.slotLost, .success(let outcome)):
            return .brought(outcome, took: took)
        case (nil, .failure(let error)): return .failed(error)
        case (let why?, _): return .stopped(why)
        case (nil, nil): return .stopped(.leaseLost)
        }
    }

    private func loader(of key: Key) -> @Sendable () async -> [UInt8]? {
        { [store] in
            do throws(RefreshError) {
                let read = try await store.read(key, held: nil)
                guard let bytes = read.bytes, let metadata = read.status.payload else { return nil }
                return PayloadPreparation.decoded(bytes, metadata)
            } catch {
                // The source does without, as on its first run.
                return nil
            }
        }
    }

    private func tellBreaker(
        _ served: ServedResource, _ key: Key, _ product: Attempt.Product?, wasStopped: Bool
    ) {
        guard let name = served.breaker else { return }
        switch product {
        case .failure(let error) where error.isUnreachable:
            if let pause = breakers.missed(name, key: key, at: pace.now()) {
                Journal.breakerOpened(name, pause: pause, error: error.message)
            }
        case .failure where wasStopped, nil: breakers.abandoned(name, at: pace.now())
        case .success, .failure:
            if breakers.reached(name) { Journal.breakerClosed(name) }
        }
    }

    // MARK: ends

    private func publication(
        of outcome: SourceOutcome, _ claim: Claim, _ served: ServedResource
    ) -> Publication {
        let content: Publication.Content =
            switch outcome {
            case .payload(let payload): .payload(payload)
            case .notModified: .renewal
            }
        if case .payload(let payload) = outcome {
            served.metrics.payload.observe(Double(payload.bytes.count))
        }
        var publication = Publication(
            claim: claim, content: content, freshFor: served.freshFor(random: pace.random),
            keepFor: served.resource.freshness.keepFor)
        publication.keepJobs = settings.refresh.keepJobs
        publication.maximumVariants = served.resource.maximumVariants
        return publication
    }

    private func fail(
        _ claim: Claim, _ served: ServedResource, _ error: SourceError, _ attempt: Attempt
    ) async {
        attempts.settle(claim)
        let delay =
            error.isPermanent
            ? nil
            : served.resource.retry.delay(afterAttempt: claim.attempt, spread: pace.random())
        var failure = AttemptFailure(claim: claim, error: error.message, retryAfter: delay)
        failure.sourceOnline = !error.isUnreachable
        failure.keepJobs = settings.refresh.keepJobs
        let outcome = await settler.fail(
            failure,
            isHeld: { attempt.stopped != .leaseLost && attempt.stopped != .cancelled })
        switch outcome {
        case .retrying(let at)?: Journal.failed(claim, served, error: error.message, retryAt: at)
        case .dead?: Journal.failed(claim, served, error: error.message, retryAt: nil)
        case .leaseLost?: await lost(claim, served, why: "lease lost before its end", attempt)
        case nil: Journal.lost(claim, served, why: "the store does not answer")
        }
    }

    private func end(
        _ claim: Claim, _ served: ServedResource, stopped why: Attempt.Stop, _ attempt: Attempt
    ) async {
        switch why {
        case .timedOut:
            let limit = Journal.seconds(served.resource.timeout)
            await fail(claim, served, SourceError("timed out after \(limit) s"), attempt)
        case .shutdown: await handBack(claim, served, delay: .zero, why: "shutdown", attempt)
        case .slotLost: await handBack(claim, served, delay: .zero, why: "slot lost", attempt)
        case .leaseLost: await lost(claim, served, why: "lease lost", attempt)
        case .cancelled: await lost(claim, served, why: "cancelled", attempt)
        }
    }

    /// The store did not take the publication. When it is not the lease, it may be the payload.
    private func giveUpPublication(
        _ claim: Claim, _ served: ServedResource, _ attempt: Attempt
    ) async {
        if attempt.stopped == .cancelled || attempt.stopped == .leaseLost {
            await lost(claim, served, why: "lease lost before publication", attempt)
        } else if drain.isOver {
            await handBack(claim, served, delay: .zero, why: "shutdown", attempt)
        } else {
            await fail(
                claim, served, SourceError("the payload could not be published: the store refuses"),
                attempt)
        }
    }

    private func handBack(
        _ claim: Claim, _ served: ServedResource?, delay: Duration, why: String,
        _ attempt: Attempt? = nil, isSourceAway: Bool = false
    ) async {
        switch await settler.handBack(claim, delay: delay, isSourceAway: isSourceAway) {
        case true?: Journal.handedBack(claim, served, delay: delay, why: why)
        case false?: await release(claim, attempt)
        case nil: break
        }
    }

    /// The lease is gone.
    private func lost(
        _ claim: Claim, _ served: ServedResource, why: String, _ attempt: Attempt
    ) async {
        Journal.lost(claim, served, why: why)
        await release(claim, attempt)
    }

    /// Where the lease was taken away by a cancellation, the key waits for this word that its source
    /// has ended. Of one that was left behind nobody knows: then the lease has to run out.
    private func release(_ claim: Claim, _ attempt: Attempt?) async {
        if attempt?.isLeft != true { await settler.release(claim) }
    }
}

internal import Coordination
internal import FreshetModel
internal import Synchronization

/// The attempts that run now: keeps their leases, their time limits, and stops them.
///
/// Leases are renewed by a task of their own, so that no source, however slow, and no publication,
/// however large, delays a heartbeat.
final class RunningAttempts: Sendable {
    private struct State {
        var book = LeaseBook()
        var attempts: [String: Attempt] = [:]
        /// Until when the two keepers sleep; `nil`: until nudged.
        var timeUntil: Duration?
        var beatUntil: Duration?
    }
    private let state = Mutex(State())
    private let timeNudge = Nudge()
    private let beatNudge = Nudge()
    private let pace: Pace
    /// How long a source that was told to stop may take: `command` kills after 5 s.
    private let grace: Duration
    /// The cap that slots are renewed under.
    private let maximum: Int

    init(pace: Pace, grace: Duration, maximum: Int) {
        self.pace = pace
        self.grace = grace
        self.maximum = maximum
    }

    /// How many attempts run.
    var count: Int { state.withLock { $0.book.count } }

    /// An attempt begins under a claim.
    func begin(_ granted: GrantedClaim, timeout: Duration) -> Attempt {
        let attempt = Attempt()
        let now = pace.now()
        let (time, beat) = state.withLock { state in
            let next = state.book.begin(
                granted.claim, sentAt: granted.sentAt, now: now, timeout: timeout,
                slot: granted.slot)
            state.attempts[granted.claim.nonce] = attempt
            return (
                Self.isEarlier(next.due, state.timeUntil),
                Self.isEarlier(next.beat, state.beatUntil)
            )
        }
        if time { timeNudge.give() }
        if beat { beatNudge.give() }
        return attempt
    }

    /// The source ended; its lease is kept for the publication.
    func settle(_ claim: Claim) { state.withLock { $0.book.settle(claim.nonce) } }

    /// The attempt is over; its lease is no longer renewed. Returns its slot as it stands.
    func end(_ claim: Claim) -> HeldSlot? {
        state.withLock { state in
            state.attempts[claim.nonce] = nil
            return state.book.end(claim.nonce)
        }
    }

    /// The source told how far it is. From any thread.
    func report(_ progress: Progress, _ claim: Claim) {
        let mustNudge = state.withLock { $0.book.report(progress.cut(), claim.nonce) }
        if mustNudge { beatNudge.give() }
    }

    /// Tells one source to stop.
    func stop(_ nonce: String, _ why: Attempt.Stop) {
        guard let attempt = state.withLock({ $0.attempts[nonce] }), attempt.stop(why) else {
            return
        }
        let giveUpAt = pace.now() + grace
        let mustNudge = state.withLock { state in
            state.book.stop(nonce, giveUpAt: giveUpAt)
            return Self.isEarlier(giveUpAt, state.timeUntil)
        }
        if mustNudge { timeNudge.give() }
    }

    /// Tells every source to stop.
    func stopAll(_ why: Attempt.Stop) {
        for nonce in state.withLock({ Array($0.attempts.keys) }) { stop(nonce, why) }
    }

    /// Tells every source to stop and waits for none.
    func leaveAll(_ why: Attempt.Stop) {
        for attempt in state.withLock({ Array($0.attempts.values) }) {
            _ = attempt.stop(why)
            attempt.giveUp(isDeaf: false)
        }
    }

    private static func isEarlier(_ next: Duration?, _ planned: Duration?) -> Bool {
        guard let next else { return false }
        return planned.map { next < $0 } ?? true
    }

    // MARK: keepers

    /// Stops what passed its time or its lease, until cancelled.
    func keepTime() async {
        while !Task.isCancelled {
            let now = pace.now()
            let (due, next) = state.withLock { state in
                let due = state.book.due(at: now)
                state.timeUntil = state.book.nextDue
                return (due, state.timeUntil)
            }
            for (nonce, what) in due {
                switch what {
                case .timedOut: stop(nonce, .timedOut)
                case .leaseEnded: stop(nonce, .leaseLost)
                case .slotEnded: stop(nonce, .slotLost)
                case .givenUp: state.withLock { $0.attempts[nonce] }?.giveUp(isDeaf: true)
                }
            }
            if due.isEmpty { await sleep(timeNudge, until: next, now: now) }
        }
    }

    /// Sends the heartbeats, until cancelled.
    func keepLeases(in store: any RefreshStore, health: StoreHealth) async {
        while !Task.isCancelled {
            let now = pace.now()
            let (heartbeats, next) = state.withLock { state in
                let heartbeats = state.book.heartbeats(at: now)
                state.beatUntil = state.book.nextBeat
                return (heartbeats, state.beatUntil)
            }
            guard !heartbeats.isEmpty else {
                await sleep(beatNudge, until: next, now: now)
                continue
            }
            do throws(RefreshError) {
                apply(try await store.heartbeat(heartbeats), to: heartbeats, sentAt: now)
                health.succeeded()
            } catch {
                health.failed(error, during: "heartbeat")
                let now = pace.now()
                state.withLock { $0.book.failed(heartbeats, at: now) }
            }
            await keepSlots(of: heartbeats, in: store, health: health)
        }
    }

    /// Renews the slots of the attempts whose leases are renewed, where there are any.
    private func keepSlots(
        of heartbeats: [Heartbeat], in store: any RefreshStore, health: StoreHealth
    ) async {
        let held = state.withLock { $0.book.slots(of: heartbeats) }
        guard !held.isEmpty else { return }
        let sentAt = pace.now()
        do throws(RefreshError) {
            let answers = try await store.takeSlots(held.map(\.slot), maximum: maximum)
            for (slot, isHeld) in zip(held, answers) {
                if isHeld {
                    state.withLock { $0.book.renewedSlot(of: slot.nonce, sentAt: sentAt) }
                } else {
                    stop(slot.nonce, .slotLost)
                }
            }
        } catch {
            health.failed(error, during: "renew slots")
            let now = pace.now()
            state.withLock { $0.book.failedSlots(of: held.map(\.nonce), at: now) }
        }
    }

    private func apply(_ answers: [Bool], to heartbeats: [Heartbeat], sentAt: Duration) {
        for (heartbeat, isHeld) in zip(heartbeats, answers) {
            let nonce = heartbeat.claim.nonce
            if isHeld {
                state.withLock { $0.book.renewed(nonce, sentAt: sentAt) }
            } else {
                stop(nonce, .leaseLost)
            }
        }
    }

    private func sleep(_ nudge: Nudge, until next: Duration?, now: Duration) async {
        if let next {
            await pace.wait(for: nudge, atMost: next - now)
        } else {
            await nudge.wait()
        }
    }
}

extension Progress {
    /// The progress with its message cut to `Limits.progressMessageLength` bytes.
    fileprivate func cut() -> Progress {
        guard let message, message.utf8.count > Limits.progressMessageLength else { return self }
        var cut = self
        cut.message = String(
            decoding: message.utf8.prefix(Limits.progressMessageLength), as: UTF8.self)
        return cut
    }
}

internal import FreshetModel

/// A resource that is refreshed by its schedule, and when that is.
///
/// Pure: it is told the store's clock and the key's status, and answers whether to ask.
struct ScheduledKey: Sendable {
    let key: Key
    let resource: Resource
    let schedule: Schedule

    /// When `every` last asked, on the store's clock; `nil`: not since this scheduler leads.
    private var askedAt: Timestamp?
    /// When `cron` comes next; `nil`: not looked up since this scheduler leads.
    private(set) var nextSlot: Timestamp?

    /// `nil` without a schedule, or when a parameter has no default: there is no one key then.
    init?(_ resource: Resource) {
        guard let schedule = resource.schedule else { return nil }
        do throws(Resource.KeyError) {
            key = try resource.key(parameters: [])
        } catch {
            return nil
        }
        self.resource = resource
        self.schedule = schedule
    }

    /// Another scheduler may have led meanwhile.
    mutating func forget() {
        askedAt = nil
        nextSlot = nil
    }

    // MARK: every

    /// Whether a key with this status is due: nothing kept, or the last success is long enough ago.
    ///
    /// A failure or a cancellation since then holds it back for the first retry interval, so that
    /// a source that is gone is not asked without a pause.
    ///
    /// - Returns: How long until it is; zero or less when it is due. `nil` while a job is under way.
    func untilDue(_ status: KeyStatus) -> Duration? {
        guard case .every(let interval) = schedule, !status.state.isUnderWay else { return nil }
        var due = status.now
        if status.payload != nil, let last = status.lastRefresh { due = last + interval }
        let pause = min(interval, resource.retry.interval)
        if status.state == .failed, let end = status.job?.finishedAt { due = max(due, end + pause) }
        if let askedAt, status.lastRefresh.map({ askedAt > $0 }) ?? true {
            due = max(due, askedAt + pause)
        }
        return due - status.now
    }

    mutating func asked(at now: Timestamp) { askedAt = now }

    // MARK: cron

    /// Plans from the last slot that fired, or from `now` when none ever did.
    mutating func plan(lastFired: Timestamp?, now: Timestamp) {
        guard case .cron(let expression) = schedule else { return }
        nextSlot = expression.next(after: lastFired ?? now)
    }

    /// The slot to fire at `now`: all that were missed are made up by one run.
    func slotDue(at now: Timestamp) -> Timestamp? {
        guard let nextSlot, nextSlot <= now else { return nil }
        return Timestamp(milliseconds: now.milliseconds / 60_000 * 60_000)
    }
}

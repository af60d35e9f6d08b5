import FreshetModel
import Testing

@testable import Scheduler

extension ScheduledKey {
    fileprivate func isDue(_ status: KeyStatus) -> Bool {
        untilDue(status).map { $0 <= .zero } ?? false
    }
}

@Suite("Scheduled key")
struct ScheduledKeyTests {
    private let now = Timestamp(milliseconds: 1_800_000_000_000)

    private func entry(_ schedule: Schedule, retry: Duration = .seconds(60)) throws -> ScheduledKey
    {
        var resource = Resource(name: try #require(ResourceName("r")))
        resource.schedule = schedule
        resource.retry.interval = retry
        return try #require(ScheduledKey(resource))
    }

    private func status(
        _ entry: ScheduledKey, lastRefresh ago: Duration?, isKept: Bool = true,
        state: RefreshState = .idle
    ) -> KeyStatus {
        var status = KeyStatus(key: entry.key, now: now)
        status.state = state
        if let ago {
            let at = Timestamp(milliseconds: now.milliseconds - ago.milliseconds)
            status.lastRefresh = at
            if isKept {
                status.payload = PayloadMetadata(
                    version: 1, contentType: "text/plain", encoding: .identity, storedBytes: 0,
                    facts: PayloadFacts(), refreshedAt: at, modifiedAt: at, freshUntil: nil,
                    keptUntil: nil)
            }
        }
        return status
    }

    @Test("every is due when nothing is kept, and its interval after the last success")
    func every() throws {
        let entry = try entry(.every(.seconds(3600)))
        #expect(entry.isDue(status(entry, lastRefresh: nil)))
        #expect(entry.isDue(status(entry, lastRefresh: .seconds(60), isKept: false)))
        #expect(!entry.isDue(status(entry, lastRefresh: .seconds(3599))))
        #expect(entry.isDue(status(entry, lastRefresh: .seconds(3600))))
    }

    @Test("every is not due while a job is under way")
    func underWay() throws {
        let entry = try entry(.every(.seconds(1)))
        for state in [RefreshState.queued, .running, .retrying] {
            #expect(!entry.isDue(status(entry, lastRefresh: nil, state: state)))
        }
    }

    @Test("a dead job holds every back for the retry interval")
    func dead() throws {
        let entry = try entry(.every(.seconds(3600)))
        var failed = status(entry, lastRefresh: .seconds(7200), state: .failed)
        failed.job = Job(id: JobID(run: 1, key: entry.key), state: .dead)
        failed.job?.finishedAt = Timestamp(milliseconds: now.milliseconds - 59_000)
        #expect(!entry.isDue(failed))
        failed.job?.finishedAt = Timestamp(milliseconds: now.milliseconds - 60_000)
        #expect(entry.isDue(failed))
    }

    @Test("a cancelled job holds every back for the retry interval, a purge does not")
    func cancelled() throws {
        var entry = try entry(.every(.seconds(3600)))
        entry.asked(at: Timestamp(milliseconds: now.milliseconds - 30_000))
        #expect(!entry.isDue(status(entry, lastRefresh: nil)))
        #expect(entry.isDue(status(entry, lastRefresh: .seconds(20), isKept: false)))
        entry.asked(at: Timestamp(milliseconds: now.milliseconds - 60_000))
        #expect(entry.isDue(status(entry, lastRefresh: nil)))
    }

    @Test("a short interval is not stretched by a long retry interval")
    func shortInterval() throws {
        var entry = try entry(.every(.seconds(2)))
        entry.asked(at: Timestamp(milliseconds: now.milliseconds - 2_000))
        #expect(entry.isDue(status(entry, lastRefresh: nil)))
    }

    @Test("missed cron slots are made up once")
    func cron() throws {
        var entry = try entry(.cron(CronExpression("*/5 * * * *")))
        let last = Timestamp(milliseconds: now.milliseconds - 3_600_000)
        entry.plan(lastFired: last, now: now)
        let slot = try #require(entry.slotDue(at: now))
        entry.plan(lastFired: slot, now: now)
        #expect(entry.slotDue(at: now) == nil)
        let next = try #require(entry.nextSlot)
        #expect(next > now && next - now <= .seconds(300))
        #expect(entry.slotDue(at: next) == next)
    }

    @Test("a cron schedule that never fired waits for its first slot")
    func firstSlot() throws {
        var entry = try entry(.cron(CronExpression("0 6 * * 1")))
        entry.plan(lastFired: nil, now: now)
        #expect(entry.slotDue(at: now) == nil)
    }

    @Test("a resource with a parameter without default has no key to schedule")
    func keyless() throws {
        var resource = Resource(name: try #require(ResourceName("r")))
        resource.schedule = .every(.seconds(60))
        resource.parameters = [ParameterRule(name: "city", pattern: ".*")]
        #expect(ScheduledKey(resource) == nil)
        resource.parameters = [ParameterRule(name: "city", pattern: ".*", defaultValue: "oslo")]
        #expect(ScheduledKey(resource)?.key.text == "r?city=oslo")
    }

    @Test("what is set aside comes back after its time")
    func aside() throws {
        var aside = SetAside()
        let key = try #require(Key("r"))
        aside.add(key, until: .seconds(10))
        aside.expire(at: .seconds(9))
        #expect(aside.contains(key))
        aside.expire(at: .seconds(10))
        #expect(!aside.contains(key) && aside.count == 0)
    }
}

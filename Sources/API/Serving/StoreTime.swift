internal import FreshetModel
internal import Runtime

/// The store's clock as this process knows it.
final class StoreTime {
    let loop: EventLoop
    private var clock = StoreClock()

    init(loop: EventLoop) { self.loop = loop }

    /// Whether the store ever answered.
    var isKnown: Bool { clock.isKnown }

    /// The store's time now.
    func now() -> Timestamp { clock.now(EventLoop.monotonicNanoseconds()) }

    /// The store's time at `monotonic`, nanoseconds of the monotonic clock.
    func now(_ monotonic: UInt64) -> Timestamp { clock.now(monotonic) }

    /// Learns from a reply that just came to what was sent at `sent`.
    func observe(_ now: Timestamp, sent: UInt64) {
        clock.observe(now, sent: sent, received: EventLoop.monotonicNanoseconds())
    }
}

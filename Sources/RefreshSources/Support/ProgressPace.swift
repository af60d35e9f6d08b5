internal import FreshetModel
internal import Runtime

/// Passes progress on a few times a second, however often it is told.
struct ProgressPace {
    private static let interval: UInt64 = 100_000_000

    private let report: @Sendable (Progress) -> Void
    private var next: UInt64 = 0

    init(_ report: @escaping @Sendable (Progress) -> Void) { self.report = report }

    /// Reports what `progress` returns, when it is time to.
    mutating func tell(_ progress: () -> Progress) {
        let now = EventLoop.monotonicNanoseconds()
        guard now >= next else { return }
        next = now + Self.interval
        report(progress())
    }

    /// Reports at once.
    mutating func tellNow(_ progress: Progress) {
        next = EventLoop.monotonicNanoseconds() + Self.interval
        report(progress)
    }
}

internal import Runtime

/// The value of the `Date` field, made once a second.
struct DateStamp {
    /// 29 bytes.
    private(set) var bytes: [UInt8] = []
    /// Seconds since 1970: differs when the bytes do.
    private(set) var second: Int64 = -1
    private var checkedAt: UInt64 = 0

    /// - Parameter now: The loop's time, so that the wall clock is asked every 50 ms at most.
    mutating func refresh(_ now: UInt64) {
        guard second < 0 || now &- checkedAt > 50_000_000 else { return }
        checkedAt = now
        let milliseconds = WallClock.milliseconds()
        let current = milliseconds / 1000
        guard current != second else { return }
        second = current
        bytes = Array(WallClock.httpDate(milliseconds).utf8)
    }
}

/// A value that only the thread of one loop touches, carried through code that any thread runs.
///
/// The price of handing out what is not `Sendable` is a check at each use.
package struct LoopBound<Value>: @unchecked Sendable {
    // @unchecked: `value` stops the process on any thread but the loop's.

    package let loop: EventLoop
    private let stored: Value

    /// Binds `value` to `loop`. The caller gives it away: it keeps no use of it on another thread.
    package init(_ value: Value, loop: EventLoop) {
        self.loop = loop
        stored = value
    }

    /// The value; only on the loop's thread, or before the loop runs.
    package var value: Value {
        loop.checkIsolated()
        return stored
    }
}

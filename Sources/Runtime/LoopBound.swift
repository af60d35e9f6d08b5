/// A value that only one loop's thread may touch, in a box that any thread may carry.
///
/// Objects that live on a loop need no locks, but their handles travel between tasks. The box checks
/// the thread at each access, so a mistake stops the process at once instead of racing.
@safe
package final class LoopBound<Value>: @unchecked Sendable {
    // @unchecked: `stored` is reached through a check for the loop's thread only.

    package let loop: EventLoop
    private var stored: Value

    /// Boxes `value`, which from now on belongs to `loop`.
    package init(_ value: sending Value, on loop: EventLoop) {
        stored = value
        self.loop = loop
    }

    /// Boxes what the caller gives away: it keeps no use of it on another thread.
    package init(_ value: Value, loop: EventLoop) {
        stored = value
        self.loop = loop
    }

    /// Boxes what belongs to `loop` already. Only on the loop's thread.
    package init(here value: Value, on loop: EventLoop) {
        loop.checkIsolated()
        stored = value
        self.loop = loop
    }

    /// The value. Only on the loop's thread.
    package var value: Value {
        get {
            loop.checkIsolated()
            return stored
        }
        set {
            loop.checkIsolated()
            stored = newValue
        }
    }

    /// Runs `body` with the value: now when the caller is on the loop, else after what runs there now.
    package func perform(_ body: @escaping @Sendable (Value) -> Void) {
        if loop.isCurrent {
            body(stored)
        } else {
            loop.execute { body(self.value) }
        }
    }
}

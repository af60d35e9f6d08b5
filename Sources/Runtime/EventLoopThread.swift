internal import CLinux

/// A thread that runs one event loop.
package final class EventLoopThread: Sendable {
    package let loop: EventLoop

    private init(loop: EventLoop) { self.loop = loop }

    /// Starts a thread named `name` (15 bytes of it are shown by the system) that runs a new loop.
    package static func start(_ name: String) -> EventLoopThread {
        EventLoopThread(loop: EventLoop(name: name))
    }

    /// Ends the loop after its current turn and waits for the thread. Not from the loop itself.
    package func stop() {}
}

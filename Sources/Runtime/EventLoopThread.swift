internal import CLinux

/// A thread that runs one event loop.
@safe
package final class EventLoopThread: Sendable {
    package let loop: EventLoop
    private let thread: pthread_t

    private init(loop: EventLoop, thread: pthread_t) {
        self.loop = loop
        self.thread = thread
    }

    /// Starts a thread named `name` (15 bytes of it are shown by the system) that runs a new loop.
    package static func start(_ name: String) -> EventLoopThread {
        let loop = EventLoop(name: name)
        var thread = pthread_t()
        // The thread takes over this reference.
        let argument = unsafe Unmanaged.passRetained(loop).toOpaque()
        let error = unsafe freshet_start_thread(
            &thread, name,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let loop = unsafe Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue()
                loop.run()
                return nil
            }, argument)
        precondition(error == 0, "the system starts no more threads")
        return EventLoopThread(loop: loop, thread: thread)
    }

    /// Ends the loop after its current turn and waits for the thread. Once, not from the loop itself.
    /// What is still queued on the loop never runs: end the services that run there first.
    package func stop() {
        precondition(!loop.isCurrent, "a loop cannot wait for its own end")
        loop.stop()
        pthread_join(thread, nil)
    }
}

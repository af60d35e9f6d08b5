internal import CLinux

/// Signals of the process, told on a loop instead of in a signal handler.
package final class SignalSource: Sendable {
    package enum Signal: Int32, Sendable, CaseIterable {
        case hangUp = 1
        case interrupt = 2
        case terminate = 15
    }

    /// Catches SIGTERM, SIGINT and SIGHUP from now on, and ignores SIGPIPE. One in a process.
    package init(loop: EventLoop) {}

    /// Calls `handler` on the loop for each signal that arrives. Replaces the handler before.
    package func onSignal(_ handler: @escaping @Sendable (Signal) -> Void) {}

    /// A write to a closed socket is an error, not the end of the process.
    package static func ignorePipe() { freshet_ignore_signal(SIGPIPE) }
}

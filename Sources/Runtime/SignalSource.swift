internal import CLinux
internal import Synchronization

/// Signals of the process, told on a loop instead of in a signal handler.
///
/// A pipe rather than a signalfd: a signalfd needs the signals blocked in every thread, and children
/// would inherit that.
package final class SignalSource: Sendable {
    package enum Signal: Int32, Sendable, CaseIterable {
        case hangUp = 1
        case interrupt = 2
        case terminate = 15
    }

    private let loop: EventLoop
    private let readEnd: Int32
    private let writeEnd: Int32
    private let handlers = Mutex<[Signal: @Sendable (Signal) -> Void]>([:])

    /// Catches SIGTERM and SIGINT from now on, and SIGHUP once it has a handler; ignores SIGPIPE.
    /// One in a process. A signal that arrives before its handler is kept.
    package init(loop: EventLoop) {
        self.loop = loop
        var ends: (Int32, Int32) = (-1, -1)
        let failure = unsafe freshet_pipe(&ends.0, &ends.1)
        precondition(failure == 0, "no descriptors left for signals")
        (readEnd, writeEnd) = ends
        Self.ignorePipe()
        for signal in [Signal.interrupt, .terminate] {
            _ = freshet_catch_signal(signal.rawValue, writeEnd)
        }
        loop.execute { [self] in
            loop.add(readEnd, [.read]) { [weak self] _ in self?.deliver() }
        }
    }

    /// Calls `handler` on the loop for each such signal that arrives. Replaces the handler before.
    package func onSignal(_ signals: [Signal], _ handler: @escaping @Sendable (Signal) -> Void) {
        handlers.withLock { handlers in
            for signal in signals { handlers[signal] = handler }
        }
        if signals.contains(.hangUp) { _ = freshet_catch_signal(SIGHUP, writeEnd) }
        loop.execute { [self] in deliver() }
    }

    /// Gives the signals their default meaning again.
    package func close() {
        for signal in Signal.allCases { freshet_default_signal(signal.rawValue) }
        loop.execute { [self] in loop.remove(readEnd) }
    }

    private let waiting = Mutex<[Signal]>([])

    private func deliver() {
        var byte: UInt8 = 0
        while unsafe read(readEnd, &byte, 1) == 1 {
            if let signal = Signal(rawValue: Int32(byte)) {
                waiting.withLock { $0.append(signal) }
            }
        }
        let arrived = waiting.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
        for signal in arrived {
            let handler = handlers.withLock { $0[signal] }
            if let handler {
                handler(signal)
            } else {
                waiting.withLock { $0.append(signal) }
            }
        }
    }

    /// A write to a closed socket is an error, not the end of the process.
    package static func ignorePipe() { freshet_ignore_signal(SIGPIPE) }
}

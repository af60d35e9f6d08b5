internal import CLinux

/// Signals as events of a loop, instead of handlers that interrupt it.
///
/// Made before any thread is started, so that all threads inherit the blocked signals; children of
/// this process get an unblocked mask from `SupervisedProcess`.
@safe
package final class SignalWatch {
    /// The signals that services care about.
    package enum Signal: Int32, Sendable {
        case interrupt = 2
        case terminate = 15
        case hangUp = 1
    }

    private let loop: EventLoop
    private let descriptor: Int32

    /// Calls `handler` on the loop for each of `signals` that comes; they do nothing else any more.
    package init(_ signals: [Signal], on loop: EventLoop, handler: @escaping (Signal) -> Void) {
        self.loop = loop
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal.rawValue) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        precondition(descriptor >= 0, "no descriptor left for signals")
        loop.add(descriptor, [.read]) { [unowned self] _ in
            while let number = self.next() {
                if let signal = Signal(rawValue: number) { handler(signal) }
            }
        }
    }

    /// Stops watching; the signals stay blocked, for the process is about to end.
    package func end() {
        loop.remove(descriptor)
        close(descriptor)
    }

    private func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        let count = unsafe withUnsafeMutableBytes(of: &information) { bytes in
            unsafe read(descriptor, bytes.baseAddress, size)
        }
        return count == size ? Int32(bitPattern: information.ssi_signo) : nil
    }
}

internal import CSpawn
internal import Glibc
import Synchronization

/// A small forked process that ends the process groups of running commands when this process dies
/// without being able to: killed, crashed, out of memory.
///
/// The kernel's parent-death signal reaches the command itself but not what that started. One
/// guardian serves all commands of the process; it is forked with the first of them and ends with
/// the process.
enum Guardian {
    private struct Connection {
        /// -1 when no guardian could be started.
        var lifeline: Int32
        var process: Int32
    }

    private static let connection = Mutex<Connection?>(nil)

    /// Where groups are told to; -1 when no guardian could be started.
    static func lifeline() -> Int32 {
        connection.withLock { known in
            if let known { return known.lifeline }
            var process: Int32 = 0
            let lifeline = unsafe freshet_start_guardian(&process)
            known = Connection(lifeline: lifeline, process: process)
            // Waited for, so that an orderly exit leaves not even a finished process behind.
            if lifeline >= 0 { atexit { Guardian.end() } }
            return lifeline
        }
    }

    /// The group of `leader` is gone.
    static func forget(_ leader: Int32) {
        let lifeline = lifeline()
        if lifeline >= 0 { _ = freshet_tell_guardian(lifeline, leader, 0) }
    }

    private static func end() {
        let last = connection.withLock { known -> Connection? in
            defer { known = Connection(lifeline: -1, process: 0) }
            return known
        }
        guard let last, last.lifeline >= 0 else { return }
        freshet_end_guardian(last.lifeline, last.process)
    }
}

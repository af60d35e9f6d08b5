internal import CSpawn
import Synchronization

/// A small forked process that ends the process groups of running commands when this process dies
/// without being able to: killed, crashed, out of memory.
///
/// The kernel's parent-death signal reaches the command itself but not what that started. One
/// guardian serves all commands of the process; it is forked with the first of them.
enum Guardian {
    private static let descriptor = Mutex<Int32?>(nil)

    /// Where groups are told to; -1 when no guardian could be started.
    static func lifeline() -> Int32 {
        descriptor.withLock { known in
            if let known { return known }
            let started = freshet_start_guardian()
            known = started
            return started
        }
    }

    /// The group of `leader` is gone.
    static func forget(_ leader: Int32) {
        let lifeline = lifeline()
        if lifeline >= 0 { _ = freshet_tell_guardian(lifeline, leader, 0) }
    }
}

internal import CLinux

/// Ties the life of this process to that of its parent.
package enum ProcessBond {
    /// Sends this process SIGTERM when its parent ends, however that ends.
    package static func endWithParent() {
        let parent = getppid()
        _ = freshet_set_parent_death_signal(SIGTERM)
        // The parent may have ended before the line above.
        if getppid() != parent { exit(0) }
    }
}

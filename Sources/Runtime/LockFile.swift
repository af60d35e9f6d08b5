internal import CLinux

/// A file that one process at a time holds; the kernel lets go of it when the last holder of the
/// descriptor is gone, whatever happened to it.
@safe
package final class LockFile {
    /// The open file; a child that keeps it holds the lock as well.
    package let descriptor: Int32

    /// Takes the lock, waiting for up to `patience` on the calling thread, and writes `note` into
    /// the file.
    ///
    /// - Returns: `nil` when another process holds it.
    package init?(path: String, note: String, patience: Duration) throws(SystemError) {
        descriptor = unsafe path.withCString { unsafe freshet_open_lock($0) }
        guard descriptor >= 0 else { throw .last("open \(path)") }
        // From here on deinit closes it, however this ends: twice would close somebody else's.
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let failure = SystemError.last("lock \(path)")
            if failure.code == EWOULDBLOCK, ContinuousClock.now < deadline {
                usleep(20_000)
                continue
            }
            if failure.code == EWOULDBLOCK { return nil }
            throw failure
        }
        let bytes = Array(note.utf8)
        let written = unsafe bytes.withUnsafeBytes { bytes in
            ftruncate(descriptor, 0) == 0
                ? unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, 0) : -1
        }
        guard written == bytes.count else { throw .last("write \(path)") }
    }

    deinit { close(descriptor) }
}
